//! Stochastic gradient descent with momentum, as PyTorch defines it.
//!
//! ```text
//! d = g~ + weight_decay w                                   coupled weight decay
//! v <- d                                                    first step
//! v <- momentum v + (1 - dampening) d                       later
//! w <- w - learning_rate v
//! w <- w - learning_rate (d + momentum v)                   Nesterov
//! ```
//!
//! Source: torch.optim.SGD (documentation of PyTorch 2); Sutskever et al. 2013 for momentum.

use super::optimizer::{BaseOptimizer, BaseState, DescentRule};
use super::sgd::{self, Sgd};
use crate::element::Configure;
use crate::error::{Error, check, check_decay};
use crate::info::{BaseInfo, Key, Limits};
use crate::real::Real;
use crate::switch::Switch;

const MOMENTUM: Key =
    Key { name: "momentum", default: 0.9, limits: Limits::Decay, meaning: "weight of the old v" };

/// What the lists say of SGD with momentum.
pub const INFO: BaseInfo = BaseInfo {
    name: "sgd-momentum",
    aliases: &[],
    formula: "w - learning_rate v, v <- momentum v + (1 - dampening) (g~ + weight_decay w)",
    state: 1,
    keys: &[
        sgd::INFO.keys[0],
        sgd::INFO.keys[1],
        MOMENTUM,
        Key {
            name: "dampening",
            default: 0.0,
            limits: Limits::Fraction,
            meaning: "taken off the new gradient's weight",
        },
        Key {
            name: "nesterov",
            default: 0.0,
            limits: Limits::Switch,
            meaning: "1: the step looks ahead, along d + momentum v",
        },
    ],
    source: "torch.optim.SGD, PyTorch 2; Sutskever et al. 2013",
};

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

impl<R: Real> Sgd<R> {
    /// SGD with `momentum` in [0, 1), without dampening or Nesterov.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] outside that range.
    pub fn with_momentum(self, momentum: R) -> Result<SgdMomentum<R>, Error> {
        let momentum = check_decay("momentum", momentum)?;
        Ok(SgdMomentum { sgd: self, momentum, dampening: R::ZERO, nesterov: Switch::OFF })
    }
}

impl<R: Real> SgdMomentum<R> {
    /// The same with another momentum.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] outside [0, 1), and for 0 with Nesterov momentum.
    pub fn with_momentum(self, momentum: R) -> Result<Self, Error> {
        let momentum = check_decay("momentum", momentum)?;
        let changed = Self { momentum, ..self };
        if self.nesterov.is_on() { changed.with_nesterov() } else { Ok(changed) }
    }

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

impl<R: Real> Default for SgdMomentum<R> {
    fn default() -> Self {
        let (sgd, momentum) = (Sgd::default(), R::from_f64(MOMENTUM.default));
        Self { sgd, momentum, dampening: R::ZERO, nesterov: Switch::OFF }
    }
}

impl<R: Real> Configure for SgdMomentum<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        match key {
            "learning_rate" => self.with_learning_rate(R::from_f64(value)),
            "weight_decay" => self.with_weight_decay(R::from_f64(value)),
            "momentum" => self.with_momentum(R::from_f64(value)),
            "dampening" => self.with_dampening(R::from_f64(value)),
            "nesterov" if value == 0.0 => Ok(Self { nesterov: Switch::OFF, ..self }),
            "nesterov" => {
                check("nesterov", Limits::Switch.words(), value, Limits::Switch.hold(value))?;
                self.with_nesterov()
            }
            _ => {
                let expected = "learning_rate, weight_decay, momentum, dampening, nesterov";
                Err(Error::UnknownKey { rule: INFO.name, expected })
            }
        }
    }
}

impl<R: Real> BaseOptimizer<R, 1> for SgdMomentum<R> {
    type Rule = ArmedSgdMomentum<R>;

    #[inline]
    fn arm(self, state: &BaseState) -> ArmedSgdMomentum<R> {
        ArmedSgdMomentum { config: self, first: state.steps == 0 }
    }

    #[inline]
    fn advance(self, state: &BaseState) -> BaseState {
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
