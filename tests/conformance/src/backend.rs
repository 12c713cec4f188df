//! [`Backend`]: the code under test. [`Scope`]: what it claims to do.

use crate::case::{Answer, Case};
use crate::catalogue::convention::Convention;
use presam_oracle::Rule;

/// Code under test: one whole step, as a function.
pub trait Backend<R> {
    /// What it claims to do; nothing else is asked of it.
    fn scope(&self) -> Scope;

    /// One step: norm and ascent at `params` with `grads`, then the base optimizer's descent from
    /// `params` with `perturbed_grads`.
    ///
    /// # Errors
    /// A reason why there is no answer; the suite reports it as a failure.
    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String>;

    /// What is asked from here on judges `case`: for a backend that keeps a record.
    fn begins(&mut self, case: &Case<R>) {
        let _unrecorded = case;
    }
}

impl<R, B: Backend<R> + ?Sized> Backend<R> for &mut B {
    fn scope(&self) -> Scope {
        (**self).scope()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        (**self).step(case)
    }

    fn begins(&mut self, case: &Case<R>) {
        (**self).begins(case);
    }
}

/// A backend of which only some rules and base optimizers are asked.
#[derive(Clone, Debug)]
pub struct Only<B> {
    /// The whole.
    pub backend: B,
    /// The rules asked.
    pub rules: Vec<Rule>,
    /// The base optimizers asked.
    pub bases: Vec<&'static str>,
}

impl<R, B: Backend<R>> Backend<R> for Only<B> {
    fn scope(&self) -> Scope {
        Scope { rules: self.rules.clone(), bases: self.bases.clone(), ..self.backend.scope() }
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        self.backend.step(case)
    }

    fn begins(&mut self, case: &Case<R>) {
        self.backend.begins(case);
    }
}

/// How near to the oracle's number an answer must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nearness {
    /// As near as the rounding errors of the formula allow: the oracle's own bound.
    #[default]
    Bound,
    /// So many units in the last place of the oracle's number, rounded to the scalar type.
    Ulps(u32),
}

/// What a backend claims to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// The rules; their settings are drawn by the suite.
    pub rules: Vec<Rule>,
    /// The base optimizers by name: `sgd`, `sgd-momentum`, `adamw`.
    pub bases: Vec<&'static str>,
    /// Segments with a radius of their own, that are not counted or not perturbed, or without ASAM's
    /// operator.
    pub groups: bool,
    /// Length rules other than the normalised one, and no norm guard.
    pub lengths: bool,
    /// The whole of presam's contract: the order and range of the norm, zero and non-finite norms as
    /// outcomes, counters, memory that dies.
    pub contract: bool,
    /// The ascent: perturbed parameters, memory and the mean of the counters.
    pub ascends: bool,
    /// The descent: parameters and state.
    pub descends: bool,
    /// It keeps memory and state itself: each case is a first step, or follows the one before.
    pub fresh: bool,
    /// Settings change from one step of a run to the next: learning rate and radius follow a schedule.
    pub schedules: bool,
    /// A step with a gradient that is not finite changes nothing. Without this claim it may also spread, as the
    /// arithmetic has it, or be refused; `contract` has it always.
    pub skips: bool,
    /// How near its numbers must be.
    pub nearness: Nearness,
    /// By whose step it is judged.
    pub convention: Convention,
    /// How far the cases go.
    pub width: Width,
}

/// How far the cases of [`agrees`](crate::laws) go beyond small ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// Tensors of up to 4,097 elements, runs of up to 300 steps.
    #[default]
    Usual,
    /// Up to 65,537 elements and a thousand steps.
    Thorough,
}

impl Scope {
    /// Everything.
    #[must_use]
    pub fn full() -> Self {
        let bases = vec!["sgd", "sgd-momentum", "adamw"];
        Self { groups: true, lengths: true, contract: true, ..Self::of(&Rule::all(), &bases) }
    }

    /// Some rules over some base optimizers, with a normalised length guarded by 1e-12, all
    /// parameters treated alike, on ordinary numbers: what most codes agree on.
    #[must_use]
    pub fn of(rules: &[Rule], bases: &[&'static str]) -> Self {
        let (rules, bases) = (rules.to_vec(), bases.to_vec());
        Self {
            rules,
            bases,
            groups: false,
            lengths: false,
            contract: false,
            ascends: true,
            descends: true,
            fresh: false,
            schedules: true,
            skips: false,
            nearness: Nearness::Bound,
            convention: Convention::ORACLE,
            width: Width::Usual,
        }
    }
}
