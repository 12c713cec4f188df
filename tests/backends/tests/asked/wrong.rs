//! Wrong code that a law must see, beside the one fault that the table has for it.

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::catalogue::named;
use presam_conformance::{Answer, Backend, Case, Convention, Rule, Scope};

use super::spoilt::{Spoil, Step, nudge, seen};
use super::{is_zero, stranger};

fn core(case: &Case<f32>) -> Answer<f32> {
    Phases(Cpu::plain()).step(case).unwrap()
}

/// The last element alone is a unit in the last place off.
fn last_up(plane: &mut [f32]) {
    plane.iter_mut().next_back().into_iter().for_each(|w| *w = w.next_up());
}

#[test]
fn what_stays_does_so_in_every_bit() {
    let entry = named("guard-missing");
    let dialect = Scope { convention: Convention { entry, subtracts: false }, ..stranger() };
    let dialects: Step = |case| named("guard-missing").unwrap().step(case);
    for (scope, step) in [(Scope::full(), core as Step), (stranger(), core), (dialect, dialects)] {
        seen("unperturbed-stays", &scope, step, |case, answer| {
            for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
                if !from.options.is_perturbed {
                    last_up(&mut to.perturbed);
                }
            }
        });
        seen("rho-zero-is-the-base", &scope, step, |case, answer| {
            for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
                if from.options.rho == 0.0 {
                    last_up(&mut to.perturbed);
                }
            }
        });
        seen("restored", &scope, step, |case, answer| {
            if case.learning_rate() == 0.0 {
                answer.segments.iter_mut().for_each(|s| last_up(&mut s.params));
            }
        });
    }
}

/// A zero that stays keeps its sign, which code of the contract alone promises.
#[test]
fn what_stays_keeps_its_sign() {
    let turned: Spoil = |case, answer| {
        for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
            let stays = !from.options.is_perturbed || from.options.rho == 0.0;
            to.perturbed.iter_mut().filter(|w| stays && **w == 0.0).for_each(|w| *w = -*w);
        }
    };
    for law in ["unperturbed-stays", "rho-zero-is-the-base"] {
        seen(law, &Scope::full(), core, turned);
    }
}

/// At radius 0 the step follows the first gradient, as little as rounding would hide.
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
    let step: Step = |case| named("guard-missing").unwrap().step(case);
    seen("agrees", &Scope { convention, ..stranger() }, step, |case, answer| {
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
