//! FisherSAM: the ball is an ellipsoid in the metric of the (diagonal, empirical) Fisher information.
//!
//! ```text
//! F_i = 1 + eta g_i^2
//! perturbation = rho F^-1 g / || F^-1/2 g ||
//! ```
//!
//! Preconditioning: of the constraint, D = F^-1/2. Memory: none. The papers' radius gamma is `rho`.
//! Not invariant to the gradient's scale: unscale a scaled loss first ([`Unscaled`](crate::Unscaled)).
//! Range: eta g^2 must be representable (at eta = 0 there is no such limit); an infinite one is [`Outcome::NonFinite`](crate::Outcome).
//! Source: Kim, Li, Hu, Hospedales 2022 (arXiv 2206.04920); code johnjaejunlee95/torch-unified-SAM-optimization
//! (eta 1.0, command line 0.2), which takes g^2 of the mini-batch mean, as here.
//!
//! By hand: g = (1), eta = 3, rho = 1: F = 4, norm 1/2, perturbation (1/4) / (1/2) = 0.5.

use super::shorthand::arms_itself;
use crate::element::{AscentRule, Configure, Element};
use crate::error::{Error, check_nonnegative};
use crate::info::{Claim, Key, Limits, Slope, VariantInfo};
use crate::real::Real;

/// What the lists say of FisherSAM.
pub const INFO: VariantInfo = VariantInfo {
    name: "fisher-sam",
    aliases: &[],
    formula: "rho F^-1 g / ||F^-1/2 g||, F = 1 + eta g^2",
    preconditioner: "C = I, D = (1 + eta g^2)^-1/2",
    memory: 0,
    inputs: 0,
    slope: Slope::Gradient,
    keys: &[Key {
        name: "eta",
        default: 1.0,
        limits: Limits::NonNegative,
        meaning: "weight of g^2",
    }],
    norm_reads: 1,
    equals: "SAM at eta = 0",
    source: "Kim et al. 2022, arXiv 2206.04920; johnjaejunlee95/torch-unified-SAM-optimization",
    claims: &[
        Claim::ConstrainedLengthIsRho,
        Claim::LengthAtMostRho,
        Claim::Ascends,
        Claim::Bounded,
    ],
};

/// FisherSAM: norm term sqrt(F) (g / F), direction g / F, F = 1 + eta g^2.
///
/// ```
/// use presam::{AscentRule, Element, FisherSam};
///
/// let fisher = FisherSam::new(3.0f64)?;
/// let element = Element { param: 0.0, grad: 1.0, memory: [], inputs: [] };
/// assert_eq!(fisher.norm_term(element), 0.5);
/// assert_eq!(fisher.direction(element), 0.25);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct FisherSam<R> {
    eta: R,
}

impl<R: Real> FisherSam<R> {
    /// FisherSAM with weight `eta` on g^2.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `eta` is finite and >= 0.
    pub fn new(eta: R) -> Result<Self, Error> {
        Ok(Self { eta: check_nonnegative("eta", eta)? })
    }

    /// F
    #[inline(always)]
    fn fisher(self, grad: R) -> R {
        // At eta = 0 this is SAM, also where g^2 is not a number any more.
        R::ONE + R::select(self.eta == R::ZERO, R::ZERO, self.eta * (grad * grad))
    }
}

impl<R: Real> Default for FisherSam<R> {
    fn default() -> Self {
        Self { eta: R::ONE }
    }
}

impl<R: Real> Configure for FisherSam<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        match key {
            "eta" => Self::new(R::from_f64(value)),
            _ => Err(Error::UnknownKey { rule: INFO.name, expected: "eta" }),
        }
    }
}

arms_itself!(FisherSam, 0, 0);

impl<R: Real> AscentRule<R, 0, 0> for FisherSam<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 0>) -> R {
        // Not g / sqrt(F): where F is infinite that would be a silent zero, this is a NaN, an outcome.
        let fisher = self.fisher(e.grad);
        fisher.sqrt() * (e.grad / fisher)
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 0>) -> R {
        e.grad / self.fisher(e.grad)
    }
}
