//! What a base optimizer is: [`BaseOptimizer`] (configuration), [`DescentRule`] (armed for one step),
//! [`BaseState`] (the counters of the whole model).

use crate::error::Error;
use crate::info::{Key, Limits};
use crate::real::Real;

/// The key that all of them have.
pub(super) const fn learning_rate(default: f64) -> Key {
    let (limits, meaning) = (Limits::NonNegative, "length of a step");
    Key { name: "learning_rate", default, limits, meaning }
}

/// The other one.
pub(super) const fn weight_decay(default: f64, meaning: &'static str) -> Key {
    Key { name: "weight_decay", default, limits: Limits::NonNegative, meaning }
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
    fn arm(self, state: &BaseState) -> Self::Rule;

    /// The state after a step.
    fn advance(self, state: &BaseState) -> BaseState;

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
pub struct BaseState {
    /// The running products of AdamW's two decays, in `f64` whatever the scalar: 1 - decay^t cancels.
    pub decay_powers: [f64; 2],
    /// Steps taken.
    pub steps: u32,
}

impl BaseState {
    /// Before the first step.
    #[must_use]
    pub const fn new() -> Self {
        Self { decay_powers: [1.0; 2], steps: 0 }
    }
}

impl Default for BaseState {
    fn default() -> Self {
        Self::new()
    }
}
