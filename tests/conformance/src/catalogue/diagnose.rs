//! [`diagnose`]: what a backend does, in the words of the catalogue.

use super::catalogue;
use super::convention::Convention;
use super::entry::{Entry, Kind};
use super::trial::{Judged, Questions, Trial, trials};
use crate::backend::{Backend, Only, Scope};
use crate::generate::{Shape, at_rest};
use crate::runner::{Config, draw};
use crate::scalar::{Scalar, ulps};
use presam_oracle::Rule;
use std::fmt;

/// What a backend does.
#[derive(Clone, Copy, Debug)]
pub enum Diagnosis {
    /// The oracle's step.
    Agrees,
    /// The step of a dialect.
    AgreesAs(&'static Entry),
    /// The oracle's step, or a dialect's, but that the parameters are restored by subtraction: (w + e) - e.
    AgreesBut(Convention),
    /// The step with a slip.
    DiffersAs(&'static Entry),
    /// Something else, or no answer.
    Differs,
    /// Nothing that could be judged was drawn: a scope without rules or base optimizers.
    Untested,
}

impl Diagnosis {
    /// The entry that it names.
    #[must_use]
    pub fn entry(self) -> Option<&'static Entry> {
        match self {
            Self::AgreesAs(entry) | Self::DiffersAs(entry) => Some(entry),
            Self::AgreesBut(convention) => convention.entry,
            Self::Agrees | Self::Differs | Self::Untested => None,
        }
    }

    /// The convention that explains all answers, where one does.
    #[must_use]
    pub fn convention(self) -> Option<Convention> {
        match self {
            Self::Agrees => Some(Convention::ORACLE),
            Self::AgreesAs(entry) => Some(Convention { entry: Some(entry), subtracts: false }),
            Self::AgreesBut(convention) => Some(convention),
            Self::DiffersAs(_) | Self::Differs | Self::Untested => None,
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agrees | Self::AgreesAs(_) | Self::AgreesBut(_) => {
                self.convention().map_or(Ok(()), |convention| convention.fmt(f))
            }
            Self::DiffersAs(entry) => write!(f, "differs: exactly as if {}", entry.says),
            Self::Differs => f.write_str("differs"),
            Self::Untested => f.write_str("not tested"),
        }
    }
}

/// Says what the backend does over all rules of its scope together, once asked `config.cases` cases
/// (sequences of three, where it keeps its memory).
///
/// Half of the cases are ordinary numbers, on which the field agrees; in the others the gradients are near a
/// norm guard, far above it, or zero. An entry is named if every answer is its, within the rounding errors of
/// its formula, and some answer is not the oracle's; of several the first. Where none explains all answers the step
/// differs, and a slip that explains the ordinary ones is named.
///
/// Numbers only: outcomes, norms and counters are the laws' affair, and so is what these cases do not ask: hold the
/// laws to [`Diagnosis::convention`].
pub fn diagnose<R: Scalar, B: Backend<R>>(backend: &mut B, config: Config) -> Diagnosis {
    diagnose_drawn(backend, config, false)
}

/// The same of code that may restore its parameters by subtraction.
pub fn diagnose_subtraction<R: Scalar, B: Backend<R>>(
    backend: &mut B,
    config: Config,
) -> Diagnosis {
    diagnose_drawn(backend, config, true)
}

fn diagnose_drawn<R: Scalar, B: Backend<R>>(
    backend: &mut B,
    config: Config,
    subtracts: bool,
) -> Diagnosis {
    let scope = backend.scope();
    if scope.rules.is_empty() || scope.bases.is_empty() {
        return Diagnosis::Untested;
    }
    match Questions::draw(&scope, config) {
        Ok(questions) => diagnose_over(backend, &questions, subtracts),
        Err(_) => Diagnosis::Untested,
    }
}

/// The same over questions that were drawn in the backend's scope, to be asked of several.
pub fn diagnose_over<R: Scalar, B: Backend<R>>(
    backend: &mut B,
    questions: &Questions<R>,
    subtracts: bool,
) -> Diagnosis {
    diagnosed(backend, questions, subtracts)
}

/// The same for any backend.
pub(crate) fn diagnosed<R: Scalar>(
    backend: &mut dyn Backend<R>,
    questions: &Questions<R>,
    subtracts: bool,
) -> Diagnosis {
    let scope = backend.scope();
    let Ok(trials) = trials(backend, questions) else { return Diagnosis::Differs };
    let ordinary: Vec<&Trial<R>> = trials.iter().filter(|trial| trial.is_ordinary).collect();
    if ordinary.is_empty() {
        return Diagnosis::Untested;
    }
    let all: Vec<&Trial<R>> = trials.iter().collect();
    let slips = || {
        let found = explained(&scope, &ordinary, false);
        found.filter(|found| matches!(found, Diagnosis::DiffersAs(_)))
    };
    explained(&scope, &all, subtracts).or_else(slips).unwrap_or(Diagnosis::Differs)
}

/// The most units in the last place by which parameters are off after steps with learning rate 0, over cases such as
/// the laws have: perturbations may be far larger than a parameter.
///
/// # Errors
/// A case that cannot be drawn or has no answer.
pub fn off_at_rest<R: Scalar, B: Backend<R>>(
    backend: &mut B,
    config: Config,
) -> Result<u64, String> {
    off(backend, config)
}

/// The same for any backend.
pub(crate) fn off<R: Scalar>(backend: &mut dyn Backend<R>, config: Config) -> Result<u64, String> {
    let scope = backend.scope();
    let mut most = 0;
    for shape in [Shape::Free, Shape::Wide] {
        for case in draw::<R>(&scope, &scope.rules, shape, config)? {
            let case = at_rest(&case);
            let found = backend.step(&case)?;
            let pairs = case.segments.iter().zip(&found.segments);
            let numbers = pairs.flat_map(|(from, to)| from.params.iter().zip(&to.params));
            most = numbers.map(|(a, b)| ulps(*a, *b)).fold(most, u64::max);
        }
    }
    Ok(most)
}

/// The same for each rule of the scope by itself.
pub fn diagnose_each<R: Scalar, B: Backend<R>>(
    backend: &mut B,
    config: Config,
) -> Vec<(Rule, Diagnosis)> {
    let Scope { rules, bases, .. } = backend.scope();
    let one = |rule: Rule| {
        let mut only = Only { backend: &mut *backend, rules: vec![rule], bases: bases.clone() };
        (rule, diagnose(&mut only, config))
    };
    rules.into_iter().map(one).collect()
}

/// The oracle, or the first entry, that gives these answers.
fn explained<R: Scalar>(scope: &Scope, trials: &[&Trial<R>], subtracts: bool) -> Option<Diagnosis> {
    let by = |entry: Option<&'static Entry>| Convention { entry, subtracts };
    let oracle: Vec<Judged> = trials.iter().map(|trial| trial.judge(scope, by(None))).collect();
    if !oracle.contains(&Judged::Differs) {
        let found = if subtracts { Diagnosis::AgreesBut(by(None)) } else { Diagnosis::Agrees };
        return oracle.contains(&Judged::Agrees).then_some(found);
    }
    let explains = |entry: &&'static Entry| {
        let mut sees = false;
        let judged = trials.iter().zip(&oracle).map(|(trial, oracle)| {
            let judged = trial.judge(scope, by(Some(*entry)));
            sees |= *oracle == Judged::Differs && judged == Judged::Agrees;
            judged
        });
        // All of it is looked at only as long as nothing differs.
        let is_contradicted = { judged }.any(|judged| judged == Judged::Differs);
        !is_contradicted && sees
    };
    let concerned = |entry: &&'static Entry| {
        entry.is_seen_in::<R>()
            && scope
                .rules
                .iter()
                .any(|rule| scope.bases.iter().any(|base| entry.concerns(*rule, base)))
    };
    let entry = catalogue().iter().filter(concerned).find(explains)?;
    Some(match entry.kind {
        Kind::Dialect if subtracts => Diagnosis::AgreesBut(by(Some(entry))),
        Kind::Dialect => Diagnosis::AgreesAs(entry),
        Kind::Slip => Diagnosis::DiffersAs(entry),
    })
}
