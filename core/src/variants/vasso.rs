//! VaSSO: SAM along an average of the gradients, which suppresses the variance of the direction.
//!
//! ```text
//! d <- g                        first step
//! d <- decay d + (1 - decay) g  later
//! perturbation = rho d / ||d||
//! ```
//!
//! Preconditioning: none; the slope is replaced, s = d. Memory: d, one float per parameter.
//! `decay` weighs the OLD value; the paper's theta weighs the new one: decay = 1 - theta.
//! Source: Li, Giannakis 2023 (arXiv 2309.15639); code BingcongLi/VaSSO (theta 0.9).
//!
//! By hand: decay 0.5, g1 = (2, 0), g2 = (0, 2): d = (1, 1), perturbation rho (0.7071, 0.7071).

use crate::element::{AscentRule, Configure, Element, RuleState, Variant};
use crate::error::{Error, check, check_decay};
use crate::info::{Claim, Key, Limits, Slope, VariantInfo};
use crate::real::Real;

/// What the lists say of VaSSO.
pub const INFO: VariantInfo = VariantInfo {
    name: "vasso",
    aliases: &[],
    formula: "rho d / ||d||, d <- decay d + (1 - decay) g",
    preconditioner: "C = I, D = I, slope d",
    memory: 1,
    inputs: 0,
    slope: Slope::Gradient,
    keys: &[Key {
        name: "decay",
        default: 0.1,
        limits: Limits::Decay,
        meaning: "weight of the old d",
    }],
    norm_reads: 2,
    equals: "SAM at decay = 0",
    source: "Li and Giannakis 2023, arXiv 2309.15639; BingcongLi/VaSSO",
    claims: &[Claim::LengthIsRho, Claim::ScaleInvariant, Claim::FirstStepIsSam, Claim::Bounded],
};

/// VaSSO's configuration.
///
/// ```
/// use presam::{AscentRule, Element, RuleState, Variant, Vasso};
///
/// let vasso = Vasso::new(0.5f64)?;
/// let first = vasso.arm(&RuleState::new());
/// let element = Element { param: 0.0, grad: 2.0, memory: [7.0], inputs: [] };
/// assert_eq!(first.remember(element), [2.0]);
/// let later = vasso.arm(&RuleState { steps: 1, ..RuleState::new() });
/// assert_eq!(later.remember(element), [4.5]);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Vasso<R> {
    decay: R,
}

impl<R: Real> Vasso<R> {
    /// VaSSO with weight `decay` on the old average.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless 0 <= `decay` < 1.
    pub fn new(decay: R) -> Result<Self, Error> {
        Ok(Self { decay: check_decay("decay", decay)? })
    }

    /// The paper's theta, the weight of the new gradient: decay = 1 - theta, rounded.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless 0 < `theta` <= 1.
    pub fn from_theta(theta: R) -> Result<Self, Error> {
        let valid = theta > R::ZERO && theta <= R::ONE;
        Self::new(R::ONE - check("theta", "a number above 0, at most 1", theta, valid)?)
    }
}

impl<R: Real> Default for Vasso<R> {
    fn default() -> Self {
        Self { decay: R::from_f64(0.1) }
    }
}

impl<R: Real> Configure for Vasso<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        match key {
            "decay" => Self::new(R::from_f64(value)),
            _ => Err(Error::UnknownKey { rule: INFO.name, expected: "decay" }),
        }
    }
}

impl<R: Real> Variant<R, 1, 0> for Vasso<R> {
    type Rule = ArmedVasso<R>;

    #[inline]
    fn arm(self, state: &RuleState<R>) -> ArmedVasso<R> {
        ArmedVasso { decay: self.decay, first: state.steps == 0 }
    }
}

/// VaSSO armed for one step: norm term and direction are the new d.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct ArmedVasso<R> {
    decay: R,
    first: bool,
}

impl<R: Real> AscentRule<R, 1, 0> for ArmedVasso<R> {
    #[inline(always)]
    fn remember(self, e: Element<R, 1, 0>) -> [R; 1] {
        let [old] = e.memory;
        [R::select(self.first, e.grad, self.decay * old + (R::ONE - self.decay) * e.grad)]
    }

    #[inline(always)]
    fn norm_term(self, e: Element<R, 1, 0>) -> R {
        let [d] = self.remember(e);
        d
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 1, 0>) -> R {
        let [d] = self.remember(e);
        d
    }
}
