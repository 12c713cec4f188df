//! AdamW: Adam with decoupled weight decay, as PyTorch defines it.
//!
//! ```text
//! w <- w (1 - learning_rate weight_decay)
//! m <- mean_decay m + (1 - mean_decay) g~
//! v <- square_decay v + (1 - square_decay) g~^2
//! w <- w - learning_rate / (1 - mean_decay^t) * m / ( sqrt(v) / sqrt(1 - square_decay^t) + denominator_guard )
//! ```
//!
//! The powers are kept in `f64` and each 1 - decay^t is rounded once, whatever the scalar.
//! The decays are beta1 and beta2 of the paper, `denominator_guard` its epsilon.
//! Range: g~^2 must be representable (`f32`: |g~| up to 1.8e19). One finite g~ beyond it makes v infinite for
//! ever: from then on the weight only decays, though every gradient is finite. Clipping
//! ([`SecondGradient::Clipped`](crate::SecondGradient::Clipped)) keeps g~ in range; a v that is infinite must be set to 0.
//! Source: Loshchilov, Hutter 2019 (arXiv 1711.05101); torch.optim.AdamW (documentation of PyTorch 2).

use super::optimizer::{BaseOptimizer, BaseState, DescentRule, learning_rate, weight_decay};
use crate::bias::{bias_of, next_power};
use crate::element::Configure;
use crate::error::{Error, check_decay, check_nonnegative};
use crate::info::{BaseInfo, Key, Limits};
use crate::real::Real;

/// What the lists say of AdamW.
pub const INFO: BaseInfo = BaseInfo {
    name: "adamw",
    aliases: &[],
    formula: "w (1 - learning_rate weight_decay) - learning_rate m^ / (sqrt(v^) + denominator_guard)",
    state: 2,
    keys: &[
        learning_rate(1e-3),
        weight_decay(0.01, "share of w that a step of length 1 takes off"),
        Key {
            name: "mean_decay",
            default: 0.9,
            limits: Limits::Decay,
            meaning: "weight of the old m, beta1",
        },
        Key {
            name: "square_decay",
            default: 0.999,
            limits: Limits::Decay,
            meaning: "weight of the old v, beta2",
        },
        Key {
            name: "denominator_guard",
            default: 1e-8,
            limits: Limits::NonNegative,
            meaning: "added to sqrt(v), epsilon",
        },
    ],
    source: "Loshchilov, Hutter 2019, arXiv 1711.05101; torch.optim.AdamW, PyTorch 2",
};

/// AdamW: two state planes, m and v.
///
/// ```
/// use presam::{AdamW, BaseOptimizer, BaseState, DescentRule};
///
/// let adamw = AdamW::new(0.1f64)?.with_weight_decay(0.0)?;
/// let (w, [m, v]) = adamw.arm(&BaseState::new()).update(1.0, 2.0, [0.0, 0.0]);
/// assert!((w - 0.9).abs() < 1e-8); // the first step has the length of the learning rate
/// assert!((m - 0.2).abs() < 1e-15 && (v - 0.004).abs() < 1e-15);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct AdamW<R> {
    learning_rate: R,
    mean_decay: R,
    square_decay: R,
    denominator_guard: R,
    weight_decay: R,
}

impl<R: Real> AdamW<R> {
    /// PyTorch's defaults: decays 0.9 and 0.999, guard 1e-8, weight decay 0.01.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `learning_rate` is finite and >= 0.
    pub fn new(learning_rate: R) -> Result<Self, Error> {
        Ok(Self {
            learning_rate: check_nonnegative("learning_rate", learning_rate)?,
            ..Self::default()
        })
    }

    /// The same with other decays (beta1, beta2).
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless both are in [0, 1).
    pub fn with_decays(self, mean_decay: R, square_decay: R) -> Result<Self, Error> {
        Ok(Self {
            mean_decay: check_decay("mean_decay", mean_decay)?,
            square_decay: check_decay("square_decay", square_decay)?,
            ..self
        })
    }

    /// The same with another beta1.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless it is in [0, 1).
    pub fn with_mean_decay(self, mean_decay: R) -> Result<Self, Error> {
        self.with_decays(mean_decay, self.square_decay)
    }

    /// The same with another beta2.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless it is in [0, 1).
    pub fn with_square_decay(self, square_decay: R) -> Result<Self, Error> {
        self.with_decays(self.mean_decay, square_decay)
    }

    /// The same with another guard on the denominator.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless it is finite and >= 0.
    pub fn with_denominator_guard(self, denominator_guard: R) -> Result<Self, Error> {
        let denominator_guard = check_nonnegative("denominator_guard", denominator_guard)?;
        Ok(Self { denominator_guard, ..self })
    }

    /// mean_decay^t and square_decay^t of the step that follows `state`
    fn next_powers(self, state: &BaseState) -> [f64; 2] {
        let [mean, square] = state.decay_powers;
        [next_power(mean, self.mean_decay), next_power(square, self.square_decay)]
    }
}

impl<R: Real> Default for AdamW<R> {
    fn default() -> Self {
        Self {
            learning_rate: R::from_f64(1e-3),
            mean_decay: R::from_f64(0.9),
            square_decay: R::from_f64(0.999),
            denominator_guard: R::from_f64(1e-8),
            weight_decay: R::from_f64(0.01),
        }
    }
}

impl<R: Real> Configure for AdamW<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        let value = R::from_f64(value);
        match key {
            "learning_rate" => self.with_learning_rate(value),
            "weight_decay" => self.with_weight_decay(value),
            "mean_decay" => self.with_mean_decay(value),
            "square_decay" => self.with_square_decay(value),
            "denominator_guard" => self.with_denominator_guard(value),
            _ => {
                let expected =
                    "learning_rate, weight_decay, mean_decay, square_decay, denominator_guard";
                Err(Error::UnknownKey { rule: INFO.name, expected })
            }
        }
    }
}

impl<R: Real> BaseOptimizer<R, 2> for AdamW<R> {
    type Rule = ArmedAdamW<R>;

    fn arm(self, state: &BaseState) -> ArmedAdamW<R> {
        let [mean_power, square_power] = self.next_powers(state);
        ArmedAdamW {
            shrink: R::ONE - self.learning_rate * self.weight_decay,
            step: self.learning_rate / bias_of::<R>(mean_power),
            square_root_bias: bias_of::<R>(square_power).sqrt(),
            mean_decay: self.mean_decay,
            square_decay: self.square_decay,
            denominator_guard: self.denominator_guard,
        }
    }

    fn advance(self, state: &BaseState) -> BaseState {
        let steps = state.steps.saturating_add(1);
        BaseState { decay_powers: self.next_powers(state), steps }
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

/// AdamW armed for one step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct ArmedAdamW<R> {
    shrink: R,
    step: R,
    square_root_bias: R,
    mean_decay: R,
    square_decay: R,
    denominator_guard: R,
}

impl<R: Real> DescentRule<R, 2> for ArmedAdamW<R> {
    #[inline(always)]
    fn update(self, param: R, perturbed_grad: R, [m, v]: [R; 2]) -> (R, [R; 2]) {
        let square = perturbed_grad * perturbed_grad;
        let m = (self.mean_decay * m + (R::ONE - self.mean_decay) * perturbed_grad).flush();
        let v = (self.square_decay * v + (R::ONE - self.square_decay) * square).flush();
        let denominator = v.sqrt() / self.square_root_bias + self.denominator_guard;
        // v is 0 where nothing was felt or g~^2 vanished; with a guard of 0 that is no step, not an infinite one.
        let ratio = R::select(denominator == R::ZERO, R::ZERO, m / denominator);
        (param * self.shrink - self.step * ratio, [m, v])
    }
}
