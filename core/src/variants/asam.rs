//! ASAM: the radius of each weight grows with the weight, so rescaling layers changes nothing.
//!
//! ```text
//! t_i = |w_i| + eta        T = diag(t)
//! perturbation = rho T^2 g / ||T g||
//! ```
//!
//! Preconditioning: of the constraint, D = T. Memory: none. Where the operator is off (biases and
//! norm layers in the authors' code), t = 1. With eta = 0 a weight of exactly 0 never moves.
//! Range: T^2 g must be representable. rho is about ten times SAM's.
//! Source: Kwon, Kim, Park, Choi 2021 (arXiv 2102.11600); code SamsungLabs/ASAM (eta 0.01, operator
//! on tensors named `weight`), davda54/sam (eta 0, operator on all).
//! big_vision's form, |w| once and over ||g||, is [`RawAsam`](crate::RawAsam).
//!
//! By hand: w = (1, -2), g = (0.3, -0.4), eta = 0, rho = 1: T g = (0.3, -0.8), norm 0.8544,
//! T^2 g = (0.3, -1.6), perturbation (0.3511, -1.8727).

use super::shorthand::arms_itself;
use crate::element::{AscentRule, Configure, Element};
use crate::error::{Error, check_nonnegative};
use crate::info::{Claim, Key, Limits, Slope, VariantInfo};
use crate::real::Real;
use crate::switch::Switch;

/// What the lists say of ASAM.
pub const INFO: VariantInfo = VariantInfo {
    name: "asam",
    aliases: &[],
    formula: "rho T^2 g / ||T g||, T = |w| + eta",
    preconditioner: "C = I, D = |w| + eta",
    memory: 0,
    inputs: 0,
    slope: Slope::Gradient,
    keys: &[Key {
        name: "eta",
        default: 0.01,
        limits: Limits::NonNegative,
        meaning: "added to |w|",
    }],
    norm_reads: 2,
    equals: "SAM where the operator is off",
    source: "Kwon et al. 2021, arXiv 2102.11600; SamsungLabs/ASAM",
    claims: &[Claim::ConstrainedLengthIsRho, Claim::ScaleInvariant, Claim::Ascends],
};

/// ASAM: norm term t g, direction t (t g), t = |w| + eta.
///
/// ```
/// use presam::{AscentRule, Asam, Element};
///
/// let asam = Asam::new(0.0f64)?;
/// let element = Element { param: -2.0, grad: -0.5, memory: [], inputs: [] };
/// assert_eq!(asam.norm_term(element), -1.0);
/// assert_eq!(asam.direction(element), -2.0);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Asam<R> {
    eta: R,
    operator: Switch,
    /// One power of t in the direction: `RawAsam`, whose ascent is so the same kernel.
    once: Switch,
}

impl<R: Real> Asam<R> {
    /// ASAM with the operator on.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `eta` is finite and >= 0.
    pub fn new(eta: R) -> Result<Self, Error> {
        Ok(Self { eta: check_nonnegative("eta", eta)?, ..Self::default() })
    }

    /// t
    #[inline(always)]
    pub(super) fn operator(self, param: R) -> R {
        R::select(self.operator.is_on(), param.abs() + self.eta, R::ONE)
    }

    /// The direction of `RawAsam`: t = |w|, once.
    pub(super) const ONCE: Self = Self { eta: R::ZERO, operator: Switch::ON, once: Switch::ON };

    /// The same with the operator on or off.
    pub(super) fn applied(self, operator: bool) -> Self {
        Self { operator: Switch::new(operator), ..self }
    }
}

impl<R: Real> Default for Asam<R> {
    fn default() -> Self {
        Self { eta: R::from_f64(0.01), operator: Switch::ON, once: Switch::OFF }
    }
}

impl<R: Real> Configure for Asam<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        match key {
            "eta" => Ok(Self { eta: check_nonnegative("eta", R::from_f64(value))?, ..self }),
            _ => Err(Error::UnknownKey { rule: INFO.name, expected: "eta" }),
        }
    }
}

arms_itself!(Asam, 0, 0, with_operator applied);

impl<R: Real> AscentRule<R, 0, 0> for Asam<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 0>) -> R {
        self.operator(e.param) * e.grad
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 0>) -> R {
        let t = self.operator(e.param);
        t * R::select(self.once.is_on(), e.grad, t * e.grad)
    }
}
