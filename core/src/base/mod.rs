//! Base optimizers: what takes the step once the perturbed gradient is there.

mod adamw;
mod sgd;

pub use adamw::{AdamW, ArmedAdamW};
pub use sgd::{ArmedSgdMomentum, Sgd, SgdMomentum};

use crate::{Error, Real};

/// Calls a macro with every base optimizer: rows `module: Type, state S;`, as
/// [`for_each_variant!`](crate::for_each_variant) does for the variants.
///
/// ```
/// macro_rules! count {
///     ($($module:ident: $Base:ident, state $s:literal;)*) => { [$($s),*].len() };
/// }
/// assert_eq!(presam::for_each_base!(count), 3);
/// ```
#[macro_export]
macro_rules! for_each_base {
    ($callback:ident $($before:tt)*) => {
        $callback! {
            $($before)*
            sgd: Sgd, state 0;
            sgd_momentum: SgdMomentum, state 1;
            adamw: AdamW, state 2;
        }
    };
}

/// The expression of a base optimizer, armed for one step.
pub trait DescentRule<R: Real, const S: usize>: Copy + Send + Sync {
    /// The new parameter and the new state planes, from the restored parameter, the gradient at the
    /// perturbed point and the old state. State below the smallest normal number must be returned as
    /// +0.0 ([`Real::flush`]).
    fn update(self, param: R, perturbed_grad: R, state: [R; S]) -> (R, [R; S]);
}

/// A base optimizer: a validated configuration that arms a [`DescentRule`] for one step.
///
/// Once a step: `let rule = base.arm(&state)`, [`descend`](crate::Cpu::descend) for each segment,
/// `state = base.advance(&state)`. A step whose second gradient is not finite skips all three.
pub trait BaseOptimizer<R: Real, const S: usize>: Copy {
    /// What the configuration becomes for one step.
    type Rule: DescentRule<R, S>;

    /// The rule of the step that follows `state`.
    fn arm(self, state: &BaseState<R>) -> Self::Rule;

    /// The state after a step.
    fn advance(self, state: &BaseState<R>) -> BaseState<R>;

    /// The same with another learning rate: what a schedule sets each step.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless the rate is finite and >= 0.
    fn with_learning_rate(self, learning_rate: R) -> Result<Self, Error>;

    /// The same with another weight decay: what a group sets.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless the decay is finite and >= 0.
    fn with_weight_decay(self, weight_decay: R) -> Result<Self, Error>;

    /// The learning rate.
    fn learning_rate(&self) -> R;
}

/// The counters of a base optimizer: one small value for the whole model, part of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(C)]
pub struct BaseState<R> {
    /// Steps taken.
    pub steps: u32,
    /// The running products of AdamW's two decays.
    pub decay_powers: [R; 2],
}

impl<R: Real> BaseState<R> {
    /// Before the first step.
    pub const fn new() -> Self {
        Self { steps: 0, decay_powers: [R::ONE; 2] }
    }
}

impl<R: Real> Default for BaseState<R> {
    fn default() -> Self {
        Self::new()
    }
}
