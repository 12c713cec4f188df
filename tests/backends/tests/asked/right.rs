//! Right code of every kind, which no law calls wrong: another order of summation, a dialect by its own step, and
//! parameters restored by subtraction where that is what was found.

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::catalogue::{Entry, Kind, RIGHT, catalogue};
use presam_conformance::{
    Answer, Backend, Case, Config, Convention, Expected, Outcome, Rule, Scalar, Scope, Trial, laws,
};

use super::stranger;

const BASES: [&str; 3] = ["sgd", "sgd-momentum", "adamw"];

fn every_law_holds<R: Scalar>(backend: &mut impl Backend<R>, cases: u32) {
    for law in laws::all::<R>().iter().filter(|law| !law.is_long()) {
        let config = Config { cases, seed: 7 };
        let trial = Trial { law, rules: &Rule::all(), config, shrinks: 0, least: 0 };
        let failure = trial.run(backend).err();
        assert!(failure.is_none(), "{}: {}", backend.scope().convention, failure.unwrap());
    }
}

/// Every perturbed parameter further out by six of the eight bounds that another order of summation may take.
struct Rounds(Scope);

impl<R: Scalar> Backend<R> for Rounds
where
    Phases: Backend<R>,
{
    fn scope(&self) -> Scope {
        self.0.clone()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let mut answer = Phases(Cpu::plain()).step(case)?;
        if answer.outcome != Outcome::Perturbed {
            return Ok(answer);
        }
        let ascent = Expected::of(case).map_err(|mismatch| mismatch.to_string())?.ascent;
        let planes = ascent.perturbed.iter().zip(&ascent.perturbation);
        for (to, (plane, own)) in answer.segments.iter_mut().zip(planes) {
            for (i, to) in to.perturbed.iter_mut().enumerate() {
                let far = plane.values[i] + 6.0 * plane.bounds[i].copysign(own.values[i]);
                if far.is_finite() {
                    *to = R::from_f64(far);
                }
            }
        }
        Ok(answer)
    }
}

#[test]
fn another_order_of_summation() {
    for scope in [stranger(), Scope::of(&Rule::all(), &BASES)] {
        every_law_holds::<f32>(&mut Rounds(scope.clone()), 96);
        every_law_holds::<f64>(&mut Rounds(scope), 96);
    }
}

/// A dialect's step, by which it is judged.
struct Dialect {
    entry: &'static Entry,
    convention: Convention,
    scope: Scope,
}

impl<R: Scalar> Backend<R> for Dialect {
    fn scope(&self) -> Scope {
        Scope { convention: self.convention, ..self.scope.clone() }
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let answer = self.entry.step(case);
        Ok(if self.convention.subtracts { subtracted(case, answer) } else { answer })
    }
}

/// The descent starts at (w + e) - e.
fn subtracted<R: Scalar>(case: &Case<R>, mut answer: Answer<R>) -> Answer<R> {
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
    for (to, from) in answer.segments.iter_mut().zip(RIGHT.step(&start).segments) {
        to.params = from.params;
        to.state = from.state;
    }
    answer
}

#[test]
fn a_dialect_by_its_own_step() {
    let dialects = catalogue().iter().filter(|entry| entry.kind == Kind::Dialect);
    for entry in dialects {
        let convention = Convention { entry: Some(entry), subtracts: false };
        let plain = Scope::of(&Rule::all(), &BASES);
        for scope in [Scope { skips: false, ..stranger() }, Scope { fresh: true, ..plain }] {
            every_law_holds::<f32>(&mut Dialect { entry, convention, scope: scope.clone() }, 16);
            every_law_holds::<f64>(&mut Dialect { entry, convention, scope }, 16);
        }
    }
}

#[test]
fn a_restore_by_subtraction_where_it_is_known() {
    let convention = Convention { entry: None, subtracts: true };
    for scope in [stranger(), Scope::of(&Rule::all(), &BASES)] {
        let (entry, scope) = (&RIGHT, Scope { skips: false, ..scope });
        every_law_holds::<f32>(&mut Dialect { entry, convention, scope: scope.clone() }, 48);
        every_law_holds::<f64>(&mut Dialect { entry, convention, scope }, 48);
    }
}
