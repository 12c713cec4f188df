//! Friendly SAM on ASAM: ASAM's operator on the filtered slope.
//!
//! ```text
//! s = g - sigma m_old                       first step: s = g
//! m <- decay m_old + (1 - decay) g          first step: m <- g
//! perturbation = rho w^2 s / || |w| s ||
//! ```
//!
//! Preconditioning: of the constraint, D = |w| (1 where the operator is off), with the slope s. Memory: m, one float
//! per parameter. Where the slope is rounding noise it is a zero norm, as in [`FriendlySam`],
//! with |w| on both sides: || |w| s || < 2^-20 || |w| g || (`f64` 2^-48). The second sum has no range classes either.
//! A weight of exactly 0 never moves. rho is about ASAM's.
//! Source: Li, Zhou, He, Cheng, Huang 2024 (arXiv 2403.12350); code nblt/F-SAM with `--adaptive`.
//!
//! By hand: sigma 1, w = (3, -2), g1 = (1, 0), g2 = (1, 2): s = (0, 2), |w| s = (0, 4), perturbation rho (0, 2).

use super::FriendlySam;
use super::friendly_sam::{ArmedFriendlySam, INFO as FRIENDLY_SAM};
use crate::element::{Configure, RuleState, Variant};
use crate::error::Error;
use crate::info::{Claim, VariantInfo};
use crate::norm::ScaledNorm;
use crate::real::Real;

/// What the lists say of Friendly SAM on ASAM.
pub const INFO: VariantInfo = VariantInfo {
    name: "friendly-asam",
    aliases: &[],
    formula: "rho w^2 s / || |w| s ||, s = g - sigma m, m <- decay m + (1 - decay) g",
    preconditioner: "C = I, D = |w|, slope s",
    equals: "ASAM of eta 0 at sigma = 0; friendly-sam where the operator is off",
    source: "Li et al. 2024, arXiv 2403.12350; nblt/F-SAM --adaptive",
    claims: &[Claim::ConstrainedLengthIsRho, Claim::ScaleInvariant],
    ..FRIENDLY_SAM
};

/// The configuration of Friendly SAM on ASAM.
///
/// ```
/// use presam::{AscentRule, Element, FriendlyAsam, RuleState, Variant};
///
/// let friendly = FriendlyAsam::new(1.0f64, 0.5)?;
/// let later = friendly.arm(&RuleState { steps: 1, ..RuleState::new() });
/// let element = Element { param: -2.0, grad: 3.0, memory: [1.0], inputs: [] };
/// assert_eq!(later.norm_term(element), 4.0);
/// assert_eq!(later.direction(element), 8.0);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct FriendlyAsam<R>(FriendlySam<R>);

impl<R: Real> FriendlyAsam<R> {
    /// As [`FriendlySam::new`], with ASAM's operator.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `sigma` is finite and >= 0 and 0 <= `decay` < 1.
    pub fn new(sigma: R, decay: R) -> Result<Self, Error> {
        Ok(Self(FriendlySam::new(sigma, decay)?.with_asam()))
    }
}

impl<R: Real> Default for FriendlyAsam<R> {
    fn default() -> Self {
        Self(FriendlySam::default().with_asam())
    }
}

impl<R: Real> Configure for FriendlyAsam<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        Ok(Self(self.0.set_for(INFO.name, key, value)?))
    }
}

impl<R: Real> Variant<R, 1, 0> for FriendlyAsam<R> {
    type Rule = ArmedFriendlySam<R>;

    #[inline]
    fn arm(self, state: &RuleState<R>) -> ArmedFriendlySam<R> {
        self.0.arm(state)
    }

    #[inline]
    fn with_operator(self, applies: bool) -> Self {
        Self(self.0.with_operator(applies))
    }

    #[inline]
    fn is_degenerate(self, norm: ScaledNorm<R>, statistic: R) -> bool {
        self.0.is_degenerate(norm, statistic)
    }
}
