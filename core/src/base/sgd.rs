//! Stochastic gradient descent without momentum, as PyTorch defines it.
//!
//! ```text
//! d = g~ + weight_decay w                                   coupled weight decay
//! w <- w - learning_rate d
//! ```
//!
//! Source: torch.optim.SGD (documentation of PyTorch 2).

use super::optimizer::{
    BaseOptimizer, BaseState, DescentRule, learning_rate as rate, weight_decay as decay,
};
use crate::element::Configure;
use crate::error::{Error, check_nonnegative};
use crate::info::{BaseInfo, Key};
use crate::real::Real;

const RATE: Key = rate(0.1);

/// What the lists say of SGD.
pub const INFO: BaseInfo = BaseInfo {
    name: "sgd",
    aliases: &[],
    formula: "w - learning_rate (g~ + weight_decay w)",
    state: 0,
    keys: &[RATE, decay(0.0, "times w, added to the gradient")],
    source: "torch.optim.SGD, PyTorch 2",
};

/// SGD without momentum: no state.
///
/// ```
/// use presam::{BaseOptimizer, BaseState, DescentRule, Sgd};
///
/// let sgd = Sgd::new(0.5f32)?.with_weight_decay(0.5)?;
/// assert_eq!(sgd.arm(&BaseState::new()).update(2.0, 1.0, []), (1.0, []));
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Sgd<R> {
    pub(super) learning_rate: R,
    pub(super) weight_decay: R,
}

impl<R: Real> Sgd<R> {
    /// SGD without weight decay.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `learning_rate` is finite and >= 0.
    pub fn new(learning_rate: R) -> Result<Self, Error> {
        let learning_rate = check_nonnegative("learning_rate", learning_rate)?;
        Ok(Self { learning_rate, weight_decay: R::ZERO })
    }
}

impl<R: Real> Default for Sgd<R> {
    fn default() -> Self {
        Self { learning_rate: R::from_f64(RATE.default), weight_decay: R::ZERO }
    }
}

impl<R: Real> Configure for Sgd<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        match key {
            "learning_rate" => self.with_learning_rate(R::from_f64(value)),
            "weight_decay" => self.with_weight_decay(R::from_f64(value)),
            _ => {
                let expected = "learning_rate, weight_decay";
                Err(Error::UnknownKey { rule: INFO.name, expected })
            }
        }
    }
}

impl<R: Real> BaseOptimizer<R, 0> for Sgd<R> {
    type Rule = Self;

    #[inline]
    fn arm(self, _state: &BaseState) -> Self {
        self
    }

    #[inline]
    fn advance(self, state: &BaseState) -> BaseState {
        BaseState { steps: state.steps.saturating_add(1), ..*state }
    }

    fn with_learning_rate(self, learning_rate: R) -> Result<Self, Error> {
        Ok(Self { learning_rate: check_nonnegative("learning_rate", learning_rate)?, ..self })
    }

    fn with_weight_decay(self, weight_decay: R) -> Result<Self, Error> {
        Ok(Self { weight_decay: check_nonnegative("weight_decay", weight_decay)?, ..self })
    }

    fn learning_rate(&self) -> R {
        self.learning_rate
    }
}

impl<R: Real> DescentRule<R, 0> for Sgd<R> {
    #[inline(always)]
    fn update(self, param: R, perturbed_grad: R, state: [R; 0]) -> (R, [R; 0]) {
        let d = perturbed_grad + self.weight_decay * param;
        (param - self.learning_rate * d, state)
    }
}
