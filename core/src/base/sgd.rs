//! Stochastic gradient descent, as PyTorch defines it: [`Sgd`] without and [`SgdMomentum`] with momentum.
//!
//! ```text
//! d = g~ + weight_decay w                                   coupled weight decay
//! v <- d                                                    first step
//! v <- momentum v + (1 - dampening) d                       later
//! w <- w - learning_rate d                                  Sgd
//! w <- w - learning_rate v                                  SgdMomentum
//! w <- w - learning_rate (d + momentum v)                   SgdMomentum, Nesterov
//! ```
//!
//! Source: torch.optim.SGD (documentation of PyTorch 2); Sutskever et al. 2013 for momentum.

use super::{BaseOptimizer, BaseState, DescentRule};
use crate::error::{check, check_nonnegative};
use crate::switch::Switch;
use crate::{Error, Real};

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
    learning_rate: R,
    weight_decay: R,
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

    /// SGD with `momentum` in [0, 1), without dampening or Nesterov.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] outside that range.
    pub fn with_momentum(self, momentum: R) -> Result<SgdMomentum<R>, Error> {
        let valid = momentum >= R::ZERO && momentum < R::ONE;
        let momentum = check("momentum", "a number from 0 to below 1", momentum, valid)?;
        Ok(SgdMomentum { sgd: self, momentum, dampening: R::ZERO, nesterov: Switch::OFF })
    }
}

impl<R: Real> BaseOptimizer<R, 0> for Sgd<R> {
    type Rule = Self;

    #[inline]
    fn arm(self, _state: &BaseState<R>) -> Self {
        self
    }

    #[inline]
    fn advance(self, state: &BaseState<R>) -> BaseState<R> {
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

/// SGD with momentum: one state plane, the momentum v.
///
/// ```
/// use presam::{BaseOptimizer, BaseState, DescentRule, Sgd};
///
/// let sgd = Sgd::new(0.5f32)?.with_momentum(0.5)?;
/// let first = BaseState::new();
/// assert_eq!(sgd.arm(&first).update(2.0, 1.0, [9.0]), (1.5, [1.0])); // the old v does not count
/// let second = sgd.advance(&first);
/// assert_eq!(sgd.arm(&second).update(1.5, 1.0, [1.0]), (0.75, [1.5]));
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct SgdMomentum<R> {
    sgd: Sgd<R>,
    momentum: R,
    dampening: R,
    nesterov: Switch,
}

impl<R: Real> SgdMomentum<R> {
    /// The same with dampening: the new gradient weighs 1 - `dampening`.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless 0 <= `dampening` <= 1, or with Nesterov momentum.
    pub fn with_dampening(self, dampening: R) -> Result<Self, Error> {
        let valid = dampening == R::ZERO
            || (!self.nesterov.is_on() && dampening > R::ZERO && dampening <= R::ONE);
        let expected = "a number from 0 to 1 (0 with Nesterov momentum)";
        Ok(Self { dampening: check("dampening", expected, dampening, valid)?, ..self })
    }

    /// The same with Nesterov momentum.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless the momentum is positive and the dampening 0, as PyTorch asks.
    pub fn with_nesterov(self) -> Result<Self, Error> {
        let expected = "a momentum > 0 for Nesterov";
        check("momentum", expected, self.momentum, self.momentum > R::ZERO)?;
        let expected = "0 with Nesterov momentum";
        check("dampening", expected, self.dampening, self.dampening == R::ZERO)?;
        Ok(Self { nesterov: Switch::ON, ..self })
    }
}

impl<R: Real> BaseOptimizer<R, 1> for SgdMomentum<R> {
    type Rule = ArmedSgdMomentum<R>;

    #[inline]
    fn arm(self, state: &BaseState<R>) -> ArmedSgdMomentum<R> {
        ArmedSgdMomentum { config: self, first: state.steps == 0 }
    }

    #[inline]
    fn advance(self, state: &BaseState<R>) -> BaseState<R> {
        self.sgd.advance(state)
    }

    fn with_learning_rate(self, learning_rate: R) -> Result<Self, Error> {
        Ok(Self { sgd: self.sgd.with_learning_rate(learning_rate)?, ..self })
    }

    fn with_weight_decay(self, weight_decay: R) -> Result<Self, Error> {
        Ok(Self { sgd: self.sgd.with_weight_decay(weight_decay)?, ..self })
    }

    fn learning_rate(&self) -> R {
        self.sgd.learning_rate
    }
}

/// SGD with momentum armed for one step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct ArmedSgdMomentum<R> {
    config: SgdMomentum<R>,
    first: bool,
}

impl<R: Real> DescentRule<R, 1> for ArmedSgdMomentum<R> {
    #[inline(always)]
    fn update(self, param: R, perturbed_grad: R, [v]: [R; 1]) -> (R, [R; 1]) {
        let SgdMomentum { sgd: Sgd { learning_rate, weight_decay }, momentum, dampening, nesterov } =
            self.config;
        let d = perturbed_grad + weight_decay * param;
        let v = R::select(self.first, d, momentum * v + (R::ONE - dampening) * d).flush();
        let step = R::select(nesterov.is_on(), d + momentum * v, v);
        (param - learning_rate * step, [v])
    }
}
