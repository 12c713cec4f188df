//! Wrong code that a law must see, beside the one fault that the table has for it.

use presam_conformance::catalogue::named;
use presam_conformance::{
    Answer, BoundedVector, Case, Convention, Expected, LengthRule, Outcome, Rule, Scope,
};

use super::spoilt::{Spoil, Step, core, nudge, poisoned, seen};
use super::{is_zero, stranger};

/// The last element alone is a unit in the last place off.
fn last_up(plane: &mut [f32]) {
    plane.iter_mut().next_back().into_iter().for_each(|w| *w = w.next_up());
}

/// So near 0 that no bound excludes it.
fn not_quite_zero(plane: &mut [f32]) {
    plane.iter_mut().filter(|w| **w == 0.0).for_each(|w| *w = f32::MIN_POSITIVE / 2.0);
}

/// At learning rate 0 the parameters, else what is not perturbed.
fn what_stays(case: &Case<f32>, answer: &mut Answer<f32>, off: fn(&mut [f32])) {
    for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
        if case.learning_rate() == 0.0 {
            off(&mut to.params);
        } else if !from.options.is_perturbed || from.options.rho == 0.0 {
            off(&mut to.perturbed);
        }
    }
}

fn without_guard(case: &Case<f32>) -> Answer<f32> {
    named("guard-missing").unwrap().step(case)
}

#[test]
fn what_stays_does_so_in_every_bit() {
    let dialect = Convention { entry: named("guard-missing"), subtracts: false };
    let dialect = Scope { convention: dialect, ..stranger() };
    let codes: [(_, Step); 3] =
        [(Scope::full(), core), (stranger(), core), (dialect, without_guard)];
    let faults: [Spoil; 2] = [
        |case, answer| what_stays(case, answer, last_up),
        |case, answer| what_stays(case, answer, not_quite_zero),
    ];
    for (scope, step) in codes {
        for law in ["unperturbed-stays", "rho-zero-is-the-base", "restored"] {
            faults.iter().for_each(|fault| seen(law, &scope, step, *fault));
        }
    }
}

/// A zero that stays keeps its sign, which code of the contract alone promises.
#[test]
fn what_stays_keeps_its_sign() {
    let turned: Spoil = |case, answer| {
        what_stays(case, answer, |plane| {
            plane.iter_mut().filter(|w| **w == 0.0).for_each(|w| *w = -*w);
        });
    };
    for law in ["unperturbed-stays", "rho-zero-is-the-base"] {
        seen(law, &Scope::full(), core, turned);
    }
}

/// Code that follows the first gradient all the same, by as little as rounding may be.
#[test]
fn the_first_gradient_is_not_felt_at_radius_zero() {
    let scope = Scope { bases: vec!["adamw"], ..Scope::full() };
    seen("rho-zero-is-the-base", &scope, core, |case, answer| {
        for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
            let feels = from.options.rho == 0.0 && from.grads.iter().sum::<f32>() > 0.0;
            // What the base optimizer's own roundings could be.
            let numbers = to.params.iter_mut().zip(&from.params).filter(|_| feels);
            let large = numbers.filter(|(x, w)| 4.0 * w.abs() < x.abs());
            large.for_each(|(x, _)| *x = x.next_up());
        }
    });
    seen("rho-zero-is-the-base", &scope, core, |case, answer| {
        let Ok(expected) = Expected::of(case) else { return };
        let segments = answer.segments.iter_mut().zip(&case.segments);
        for ((to, from), planes) in segments.zip(&expected.descent.planes) {
            let feels = from.options.rho == 0.0 && from.grads.iter().sum::<f32>() > 0.0;
            let planes = to.state.iter_mut().zip(planes).filter(|_| feels);
            planes.for_each(|(to, plane)| a_little(to, plane));
        }
    });
}

/// A step that is skipped, or that has nowhere to go, leaves every bit.
#[test]
fn what_is_skipped_leaves_every_bit() {
    seen("second-non-finite", &Scope::full(), core, |case, answer| {
        if poisoned(case)[1] {
            answer.segments.iter_mut().flat_map(|s| &mut s.state).for_each(|s| last_up(s));
        }
    });
    seen("zero-norm", &Scope::full(), core, |_, answer| {
        if answer.outcome == Outcome::ZeroNorm {
            let numbers = answer.segments.iter_mut().flat_map(|s| &mut s.perturbed);
            numbers.filter(|w| **w == 0.0).for_each(|w| *w = -*w);
        }
    });
}

/// Of two cases that are to be perturbed by the same bits one is so otherwise, by as little as rounding may be.
const OTHERWISE: [(&str, Spoil); 8] = [
    ("scale-invariant", |case, answer| a_little_if(any_gradient(case, 64.0), case, answer)),
    ("range", |case, answer| a_little_if(any_gradient(case, 64.0), case, answer)),
    ("reduces-to-sam", |case, answer| a_little_if(case.rule != Rule::Sam, case, answer)),
    ("momentum-sam-mirrors-sam", |case, answer| {
        a_little_if(case.rule == Rule::MomentumSam, case, answer);
    }),
    ("lengths-meet", |case, answer| {
        a_little_if(matches!(case.length, LengthRule::Mixed { .. }), case, answer);
    }),
    ("uncounted-is-unfelt", |case, answer| {
        let felt = case.segments.last().is_some_and(|s| s.grads.iter().any(|g| *g > 1.5));
        a_little_if(felt, case, answer);
    }),
    ("cut-at-a-chunk", |case, answer| {
        a_little_if(case.segments.len().is_multiple_of(2), case, answer);
    }),
    ("layer-rescaling", |case, answer| {
        let large = case.segments.iter().flat_map(|s| &s.params).any(|w| w.abs() > 4.0);
        a_little_if(large, case, answer);
    }),
];

fn any_gradient(case: &Case<f32>, size: f32) -> bool {
    case.segments.iter().flat_map(|s| &s.grads).any(|g| g.abs() > size)
}

fn a_little_if(is_other: bool, case: &Case<f32>, answer: &mut Answer<f32>) {
    let Ok(expected) = Expected::of(case) else { return };
    let planes = answer.segments.iter_mut().zip(&expected.ascent.perturbed);
    planes.filter(|_| is_other).for_each(|(to, plane)| a_little(&mut to.perturbed, plane));
}

/// The next number, where that is well within the oracle's bound.
fn a_little(plane: &mut [f32], BoundedVector { values, bounds }: &BoundedVector) {
    for ((x, value), bound) in plane.iter_mut().zip(values).zip(bounds) {
        let next = x.next_up();
        if (f64::from(next) - value).abs() < 0.5 * bound {
            *x = next;
        }
    }
}

#[test]
fn what_is_the_same_is_so_in_every_bit() {
    for (law, otherwise) in OTHERWISE {
        seen(law, &Scope::full(), core, otherwise);
    }
}

/// The first element of each tensor moves against its gradient, as little as it should have moved along it.
#[test]
fn no_element_descends() {
    for scope in [Scope::full(), stranger()] {
        seen("ascends", &scope, core, |case, answer| {
            for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
                let moved = to.perturbed.iter_mut().zip(&from.params).take(1);
                let little = moved.filter(|(up, w)| (**up - **w).abs() < 1.0);
                little.for_each(|(up, w)| *up = w - (*up - w));
            }
        });
    }
}

/// A dialect that has no answer where its formula has one.
#[test]
fn an_answer_is_due() {
    let convention = Convention { entry: named("guard-missing"), subtracts: false };
    seen("agrees", &Scope { convention, ..stranger() }, without_guard, |case, answer| {
        if case.elements() > 3 {
            answer.segments.clear();
        }
    });
}

/// Code that keeps its memory moves where nothing pulls.
#[test]
fn what_rests_in_a_run_rests() {
    let scope = Scope { fresh: true, ..Scope::of(&[Rule::Sam], &["sgd"]) };
    seen("agrees-over-steps", &scope, core, |case, answer| {
        let rests = case.segments.iter().all(|s| is_zero(&s.grads));
        if rests && case.base_steps > 0 {
            answer.segments.iter_mut().for_each(|s| nudge(&mut s.perturbed));
        }
    });
}
