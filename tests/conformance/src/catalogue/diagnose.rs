//! [`diagnose`]: what a backend does, in the words of the catalogue.

use super::catalogue;
use super::entry::{Entry, Kind};
use super::trial::{Judged, Trial, trials};
use crate::backend::{Backend, Only, Scope};
use crate::compare::Expected;
use crate::runner::Config;
use crate::scalar::Scalar;
use presam_oracle::Rule;
use std::fmt;

/// What a backend does.
#[derive(Clone, Copy, Debug)]
pub enum Diagnosis {
    /// The oracle's step.
    Agrees,
    /// The step of a dialect.
    AgreesAs(&'static Entry),
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
            Self::Agrees | Self::Differs | Self::Untested => None,
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agrees => f.write_str("agrees"),
            Self::AgreesAs(entry) => write!(f, "agrees as {}", entry.says),
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
/// its formula, and some answer is not the oracle's; of several the first. Where none explains all answers, the
/// ordinary ones alone decide: code that is right there and has a way of its own at norms near 1e-12 agrees.
///
/// Numbers only: outcomes, norms and counters are the laws' affair.
pub fn diagnose<R: Scalar, B: Backend<R>>(backend: &mut B, config: Config) -> Diagnosis {
    let scope = backend.scope();
    if scope.rules.is_empty() || scope.bases.is_empty() {
        return Diagnosis::Untested;
    }
    let Ok(trials) = trials(backend, config) else { return Diagnosis::Differs };
    let ordinary: Vec<&Trial<R>> = trials.iter().filter(|trial| trial.is_ordinary).collect();
    if ordinary.is_empty() {
        return Diagnosis::Untested;
    }
    let all: Vec<&Trial<R>> = trials.iter().collect();
    let found = explained(&scope, &all).or_else(|| explained(&scope, &ordinary));
    found.unwrap_or(Diagnosis::Differs)
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
fn explained<R: Scalar>(scope: &Scope, trials: &[&Trial<R>]) -> Option<Diagnosis> {
    let oracle: Vec<Judged> =
        trials.iter().map(|trial| trial.judge(scope, |case, _| Expected::of(case).ok())).collect();
    if !oracle.contains(&Judged::Differs) {
        return oracle.contains(&Judged::Agrees).then_some(Diagnosis::Agrees);
    }
    let explains = |entry: &&Entry| {
        let mut sees = false;
        let judged = trials.iter().zip(&oracle).map(|(trial, oracle)| {
            let judged = trial.judge(scope, |case, answer| Some(entry.expected_like(case, answer)));
            sees |= *oracle == Judged::Differs && judged == Judged::Agrees;
            judged
        });
        // All of it is looked at only as long as nothing differs.
        let is_contradicted = { judged }.any(|judged| judged == Judged::Differs);
        !is_contradicted && sees
    };
    let concerned = |entry: &&Entry| {
        entry.is_seen_in::<R>()
            && scope
                .rules
                .iter()
                .any(|rule| scope.bases.iter().any(|base| entry.concerns(*rule, base)))
    };
    let entry = catalogue().iter().filter(concerned).find(explains)?;
    Some(match entry.kind {
        Kind::Dialect => Diagnosis::AgreesAs(entry),
        Kind::Slip => Diagnosis::DiffersAs(entry),
    })
}
