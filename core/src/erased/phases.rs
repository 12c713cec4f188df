//! [`DynVariant`] and [`DynBase`]: the phases of a step as methods that need no type.

use crate::base::BaseState;
use crate::cpu::Cpu;
use crate::element::RuleState;
use crate::error::Error;
use crate::info::{BaseInfo, VariantInfo};
use crate::length::{Ascent, Scale};
use crate::norm::PartialNorm;
use crate::planes::{Planes, PlanesMut};
use crate::real::Real;

/// What a rule is armed with for one segment of one step.
#[derive(Clone, Copy, Debug)]
pub struct Armed<R> {
    /// How the loops run.
    pub cpu: Cpu,
    /// The rule's counters before the step.
    pub state: RuleState<R>,
    /// Whether ASAM's operator applies.
    pub operator: bool,
    /// Multiplies every gradient entry first: the inverse of a loss scale, or 1, which changes no bit.
    pub unscale: R,
}

impl<R: Real> Armed<R> {
    /// The operator on, gradients as they are.
    pub const fn new(cpu: Cpu, state: RuleState<R>) -> Self {
        Self { cpu, state, operator: true, unscale: R::ONE }
    }
}

/// How many planes a variant has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaneCount {
    /// M
    pub memory: usize,
    /// I
    pub inputs: usize,
}

/// The slices of one segment that an ascent takes besides the parameters, all as long as those.
#[derive(Debug)]
pub struct Ascending<'a, R> {
    /// g
    pub grads: &'a [R],
    /// The variant's memory.
    pub memory: PlanesMut<'a, R>,
    /// The variant's inputs.
    pub inputs: Planes<'a, R>,
}

/// A variant without its type.
pub trait DynVariant<R: Real> {
    /// What the lists say of it; `None` for a stranger's rule.
    fn info(&self) -> Option<&'static VariantInfo>;

    /// How many planes it takes.
    fn planes(&self) -> PlaneCount;

    /// [`Cpu::accumulate_norm`]: once per counted segment, read-only.
    ///
    /// # Errors
    /// Those of the phase, and [`Error::Planes`]; `norm` is unchanged.
    fn accumulate_norm(
        &self,
        at: &Armed<R>,
        params: &[R],
        grads: &[R],
        memory: Planes<'_, R>,
        inputs: Planes<'_, R>,
        norm: &mut PartialNorm<R>,
    ) -> Result<(), Error>;

    /// [`finish`](crate::finish): once a step, from the sums to an outcome; advances `state`.
    ///
    /// # Errors
    /// Those of the phase; `state` is unchanged.
    fn finish(&self, norm: &PartialNorm<R>, state: &mut RuleState<R>) -> Result<Ascent<R>, Error>;

    /// [`Cpu::ascend`]: writes `perturbed` and the new memory.
    ///
    /// # Errors
    /// Those of the phase, and [`Error::Planes`]; nothing is written.
    fn ascend(
        &self,
        at: &Armed<R>,
        scale: Scale<R>,
        params: &[R],
        planes: Ascending<'_, R>,
        perturbed: &mut [R],
    ) -> Result<(), Error>;

    /// [`Cpu::ascend_in_place`]: perturbs `params`, keeps them in `backup` and writes the new memory.
    ///
    /// # Errors
    /// Those of the phase, and [`Error::Planes`]; nothing is written.
    fn ascend_in_place(
        &self,
        at: &Armed<R>,
        scale: Scale<R>,
        params: &mut [R],
        planes: Ascending<'_, R>,
        backup: &mut [R],
    ) -> Result<(), Error>;
}

/// What a base optimizer is armed with for one segment of one step.
#[derive(Clone, Copy, Debug)]
pub struct ArmedBase<R> {
    /// How the loops run.
    pub cpu: Cpu,
    /// Its counters before the step.
    pub state: BaseState,
    /// In place of its own: what a schedule sets.
    pub learning_rate: Option<R>,
    /// In place of its own: what a group sets.
    pub weight_decay: Option<R>,
}

impl<R: Real> ArmedBase<R> {
    /// With its own learning rate and weight decay.
    pub const fn new(cpu: Cpu, state: BaseState) -> Self {
        Self { cpu, state, learning_rate: None, weight_decay: None }
    }
}

/// A base optimizer without its type.
pub trait DynBase<R: Real> {
    /// What the lists say of it; `None` for a stranger's.
    fn info(&self) -> Option<&'static BaseInfo>;

    /// How many state planes it takes.
    fn state_planes(&self) -> usize;

    /// [`Cpu::descend`]: one step on `params`, with `grad_factor` times the gradient.
    ///
    /// # Errors
    /// Those of the phase, [`Error::Planes`], and [`Error::Hyperparameter`] for a learning rate or
    /// weight decay out of range; nothing is written.
    fn descend(
        &self,
        at: &ArmedBase<R>,
        grad_factor: R,
        params: &mut [R],
        perturbed_grads: &[R],
        state: PlanesMut<'_, R>,
    ) -> Result<(), Error>;

    /// The state after a step.
    fn advance(&self, state: &BaseState) -> BaseState;

    /// Its own learning rate.
    fn learning_rate(&self) -> R;
}
