//! What spreads from a gradient that is not finite, wrong in one way.

use presam_conformance::{Answer, Case, Convention, LengthRule, Rule, Scope};

use super::spoilt::{Spoil, Step, formula, nudge, poisoned, seen, subtracted};
use super::stranger;

/// What is done to a step that spreads what is not finite as the formula has it.
const SPREADS: [Spoil; 9] = [
    |case, answer| {
        if poisoned(case)[0] {
            answer.segments.iter_mut().for_each(|s| nudge(&mut s.perturbed));
        }
    },
    |case, answer| {
        if poisoned(case)[0] {
            answer.segments.iter_mut().flat_map(|s| &mut s.memory).for_each(|m| nudge(m));
        }
    },
    |case, answer| {
        if poisoned(case)[1] {
            answer.segments.iter_mut().flat_map(|s| &mut s.state).for_each(|s| nudge(s));
        }
    },
    |case, answer| {
        if poisoned(case)[1] {
            answer.segments.iter_mut().for_each(|s| nudge(&mut s.params));
        }
    },
    |case, answer| {
        if poisoned(case)[1] {
            answer.segments.iter_mut().for_each(|s| s.params.fill(f32::NAN));
        }
    },
    |case, answer| {
        if poisoned(case)[1] {
            answer.segments.iter_mut().for_each(|s| s.perturbed.fill(f32::NAN));
        }
    },
    // Small numbers alone: 1e-5 is a share of them.
    |case, answer| {
        let numbers = answer.segments.iter_mut().flat_map(|s| &mut s.perturbed);
        let small = numbers.filter(|up| poisoned(case)[0] && up.abs() < 0.03);
        small.for_each(|up| *up *= 1.01);
    },
    // A number where a NaN leaves none, beside others that are none.
    |case, answer| {
        let is_nan = case.segments.iter().flat_map(|s| &s.grads).any(|g| g.is_nan());
        for (to, from) in answer.segments.iter_mut().zip(&case.segments).filter(|_| is_nan) {
            let numbers = to.perturbed.iter_mut().zip(&from.params).skip(1);
            numbers.filter(|(up, _)| up.is_nan()).for_each(|(up, w)| *up = *w);
        }
    },
    // The parameters stay, the optimizer's state does not.
    |case, answer| {
        if poisoned(case)[1] {
            let pairs = answer.segments.iter_mut().zip(&case.segments);
            pairs.for_each(|(to, from)| to.params.clone_from(&from.params));
        }
    },
];

#[test]
fn what_spreads_is_the_formulas() {
    let silent = Scope { skips: false, ..stranger() };
    for fault in SPREADS {
        seen("non-finite-spreads", &silent, formula, fault);
    }
}

/// Takes the perturbation off again, and is a hundredth off: where it skips the descent, and where it spreads.
#[test]
fn what_is_taken_off_again_is_near() {
    let convention = Convention { entry: None, subtracts: true };
    // A rule without quotients: no case fails for a reason of its own.
    let scope = Scope { convention, ..Scope::of(&[Rule::Sam], &["sgd"]) };
    let step: Step = |case| subtracted(case, formula(case));
    seen("non-finite-spreads", &scope, step, |case, answer| {
        if poisoned(case)[1] {
            for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
                to.params = from.params.iter().map(|w| w * 1.01).collect();
                to.state.clone_from(&from.state);
            }
        }
    });
    seen("non-finite-spreads", &Scope { lengths: true, ..scope }, step, |case, answer| {
        moved(case, answer).for_each(|(_, x)| *x *= 1.01);
    });
}

#[test]
fn what_moved_beside_what_is_not_finite_is_near() {
    let scope = Scope { lengths: true, ..Scope::of(&[Rule::Sam], &["sgd"]) };
    seen("non-finite-spreads", &scope, formula, |case, answer| {
        moved(case, answer).for_each(|(up, _)| *up *= 1.01);
    });
}

/// Where a mixed length moves a parameter beside a gradient that is not finite: w + e, and w after the step.
fn moved<'a>(
    case: &'a Case<f32>,
    answer: &'a mut Answer<f32>,
) -> impl Iterator<Item = (&'a mut f32, &'a mut f32)> {
    let is_mixed = matches!(case.length, LengthRule::Mixed { .. }) && poisoned(case)[0];
    let pairs = answer.segments.iter_mut().zip(&case.segments).filter(move |_| is_mixed);
    let numbers = pairs
        .flat_map(|(to, from)| to.perturbed.iter_mut().zip(to.params.iter_mut()).zip(&from.params));
    let moved = numbers.filter(|((up, _), w)| *up != *w && up.is_finite());
    moved.map(|(pair, _)| pair)
}
