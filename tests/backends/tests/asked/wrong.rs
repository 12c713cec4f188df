//! Wrong code that a law must see, beside the one fault that the table has for it.

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::catalogue::named;
use presam_conformance::{
    Answer, Backend, Case, Config, Convention, LengthRule, Rule, Scope, Trial, laws,
};

use super::spoilt::{Spoil, Spoilt, Step, formula, poisoned, subtracted};
use super::{is_zero, stranger};

/// Seen by the law, which holds of the step as it is.
fn seen(law: &str, scope: &Scope, step: Step, spoil: Spoil) {
    let law = laws::named(law).unwrap();
    let trial = |spoil: Spoil| {
        let config = Config { cases: 192, seed: 7 };
        let trial = Trial { law: &law, rules: &scope.rules, config, shrinks: 0, least: 1 };
        trial.run(&mut Spoilt { scope: scope.clone(), step, spoil })
    };
    trial(|_, _| ()).unwrap_or_else(|failure| panic!("{failure}"));
    let failure = trial(spoil).unwrap_err();
    assert!(!failure.case.is_empty(), "{failure}");
}

fn core(case: &Case<f32>) -> Answer<f32> {
    Phases(Cpu::plain()).step(case).unwrap()
}

/// Small numbers alone: where there is room for an absolute error, only they show it.
fn nudge(plane: &mut [f32]) {
    plane.iter_mut().filter(|x| x.abs() < 64.0).for_each(|x| *x *= 1.01);
}

/// What is done to a step that spreads what is not finite as the formula has it.
const SPREADS: [Spoil; 8] = [
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
    // A number where a NaN that counts leaves none.
    |case, answer| {
        let counted = case.segments.iter().filter(|s| s.options.counts_in_norm);
        let is_nan = { counted }.flat_map(|s| &s.grads).any(|g| g.is_nan());
        for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
            let first = to.perturbed.first_mut().zip(from.params.first());
            first.filter(|_| is_nan).into_iter().for_each(|(to, from)| *to = *from);
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
    // What moved by a mixed length alone: with a guard such a perturbation has no bound, for the norm has none.
    let scope = Scope { lengths: true, ..scope };
    seen("non-finite-spreads", &scope, step, |case, answer| {
        if poisoned(case)[0] && matches!(case.length, LengthRule::Mixed { .. }) {
            for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
                let numbers = to.params.iter_mut().zip(to.perturbed.iter().zip(&from.params));
                let moved = numbers.filter(|(x, (up, w))| up != w && x.abs() < 4.0 * up.abs());
                moved.for_each(|(x, _)| *x *= 1.01);
            }
        }
    });
}

/// The last element alone is a unit in the last place off.
fn last_up(plane: &mut [f32]) {
    plane.iter_mut().next_back().into_iter().for_each(|w| *w = w.next_up());
}

#[test]
fn what_stays_does_so_in_every_bit() {
    for scope in [Scope::full(), stranger()] {
        seen("unperturbed-stays", &scope, core, |case, answer| {
            for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
                if !from.options.is_perturbed {
                    last_up(&mut to.perturbed);
                }
            }
        });
        seen("rho-zero-is-the-base", &scope, core, |case, answer| {
            for (to, from) in answer.segments.iter_mut().zip(&case.segments) {
                if from.options.rho == 0.0 {
                    last_up(&mut to.perturbed);
                }
            }
        });
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
