//! A step, and what is done to it: for right code as for wrong.

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::catalogue::RIGHT;
use presam_conformance::{Answer, Backend, Case, Config, Scalar, Scope, Trial, laws};

use super::is_finite;

pub(super) type Step = fn(&Case<f32>) -> Answer<f32>;
pub(super) type Spoil = fn(&Case<f32>, &mut Answer<f32>);

/// Both, as a backend.
pub(super) struct Spoilt {
    pub scope: Scope,
    pub step: Step,
    pub spoil: Spoil,
}

impl Backend<f32> for Spoilt {
    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn step(&mut self, case: &Case<f32>) -> Result<Answer<f32>, String> {
        let mut answer = (self.step)(case);
        (self.spoil)(case, &mut answer);
        // No segment is no answer.
        if answer.segments.is_empty() { Err("no answer".to_owned()) } else { Ok(answer) }
    }
}

/// The formula, which spreads what is not finite.
pub(super) fn formula(case: &Case<f32>) -> Answer<f32> {
    RIGHT.step(case)
}

/// Which gradient is not finite.
pub(super) fn poisoned(case: &Case<f32>) -> [bool; 2] {
    [
        !case.segments.iter().all(|s| is_finite(&s.grads)),
        !case.segments.iter().all(|s| is_finite(&s.perturbed_grads)),
    ]
}

/// The core's step.
pub(super) fn core(case: &Case<f32>) -> Answer<f32> {
    Phases(Cpu::plain()).step(case).unwrap()
}

/// Where the descent starts: at (w + e) - e.
pub(super) fn taken_off<R: Scalar>(case: &Case<R>, answer: &Answer<R>) -> Case<R> {
    let perturbation = RIGHT.expected(case).ascent.perturbation;
    let mut start = case.clone();
    for ((from, to), own) in start.segments.iter_mut().zip(&answer.segments).zip(perturbation) {
        from.options.is_perturbed = false;
        for ((w, perturbed), own) in from.params.iter_mut().zip(&to.perturbed).zip(own.values) {
            // What was skipped was not added.
            if w != perturbed {
                *w = R::from_f64(perturbed.to_f64() - R::held(own));
            }
        }
    }
    start
}

pub(super) fn subtracted<R: Scalar>(case: &Case<R>, mut answer: Answer<R>) -> Answer<R> {
    let start = taken_off(case, &answer);
    for (to, from) in answer.segments.iter_mut().zip(RIGHT.step(&start).segments) {
        to.params = from.params;
        to.state = from.state;
    }
    answer
}

/// Seen by the law, which holds of the step as it is.
pub(super) fn seen(law: &str, scope: &Scope, step: Step, spoil: Spoil) {
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

/// Small numbers alone: where there is room for an absolute error, only they show it.
pub(super) fn nudge(plane: &mut [f32]) {
    plane.iter_mut().filter(|x| x.abs() < 64.0).for_each(|x| *x *= 1.01);
}
