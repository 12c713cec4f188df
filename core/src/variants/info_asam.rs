//! infoSAM on ASAM: noise weights on the objective and ASAM's operator on the constraint, in one step.
//!
//! ```text
//! C = 1 / (v_hat + damping)     as in info-sam
//! D = |w| + eta                 as in ASAM (1 where the operator is off)
//! perturbation = rho D^2 C g / || D C g ||
//! ```
//!
//! Preconditioning: of both; only preSAM's view (arXiv 2501.06603) allows it. Memory: m and v, two
//! floats per parameter. The combination is ours; under label noise it is what makes the noise
//! weights pay. Range: (m - g)^2 and D^2 C g must be representable. rho is about ASAM's.
//!
//! By hand: w = (2), eta 0, v_hat + damping = 4, g = (8): C g = 2, norm term 4, direction 8.

use super::info_sam::{ArmedInfoSam, KEYS};
use super::{Asam, InfoSam};
use crate::element::{AscentRule, Configure, Element, RuleState, Variant};
use crate::error::Error;
use crate::info::{Claim, Key, Limits, Slope, VariantInfo};
use crate::real::Real;

/// What the lists say of infoSAM on ASAM.
pub const INFO: VariantInfo = VariantInfo {
    name: "info-asam",
    aliases: &[],
    formula: "rho D^2 C g / ||D C g||, C = 1 / (v_hat + damping), D = |w| + eta",
    preconditioner: "C = 1 / (v_hat + damping), D = |w| + eta",
    memory: 2,
    inputs: 0,
    slope: Slope::Gradient,
    keys: &[
        Key { name: "eta", default: 0.01, limits: Limits::NonNegative, meaning: "added to |w|" },
        KEYS[0],
        KEYS[1],
        KEYS[2],
        Key { default: 1.0, ..KEYS[3] },
    ],
    norm_reads: 4,
    equals: "ASAM in the first two steps; info-sam where the operator is off",
    source: "ours, after preSAM (arXiv 2501.06603) and ASAM (arXiv 2102.11600)",
    claims: &[Claim::ConstrainedLengthIsRho, Claim::ScaleInvariant, Claim::Ascends],
};

/// The configuration of infoSAM on ASAM.
///
/// ```
/// use presam::{Asam, AscentRule, Element, InfoAsam, InfoSam, RuleState, Variant};
///
/// let info_asam = InfoAsam::new(InfoSam::default(), Asam::new(0.0f64)?);
/// let first = info_asam.arm(&RuleState::new());
/// let element = Element { param: 2.0, grad: 8.0, memory: [0.0, 0.0], inputs: [] };
/// assert_eq!(first.norm_term(element), 16.0); // the first step is ASAM's
/// assert_eq!(first.direction(element), 32.0);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct InfoAsam<R> {
    info: InfoSam<R>,
    asam: Asam<R>,
}

impl<R: Real> InfoAsam<R> {
    /// C of `info`, D of `asam`.
    #[must_use]
    pub const fn new(info: InfoSam<R>, asam: Asam<R>) -> Self {
        Self { info, asam }
    }
}

impl<R: Real> Default for InfoAsam<R> {
    fn default() -> Self {
        let info = InfoSam::default().with_relative_damping(R::ONE);
        Self { info, asam: Asam::default() }
    }
}

impl<R: Real> Configure for InfoAsam<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        if key == "eta" {
            return Ok(Self { asam: self.asam.set(key, value)?, ..self });
        }
        let expected = "eta, mean_decay, variance_decay, absolute_damping, relative_damping";
        Ok(Self { info: self.info.set_for(key, value, (INFO.name, expected))?, ..self })
    }
}

impl<R: Real> Variant<R, 2, 0> for InfoAsam<R> {
    type Rule = ArmedInfoAsam<R>;

    #[inline]
    fn arm(self, state: &RuleState<R>) -> ArmedInfoAsam<R> {
        ArmedInfoAsam { info: self.info.arm(state), asam: self.asam }
    }

    fn advance(self, state: &RuleState<R>, mean_statistic: R) -> RuleState<R> {
        self.info.advance(state, mean_statistic)
    }

    #[inline]
    fn with_operator(self, applies: bool) -> Self {
        Self { asam: self.asam.applied(applies), ..self }
    }
}

/// infoSAM on ASAM armed for one step: norm term t (C g), direction t (t (C g)).
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct ArmedInfoAsam<R> {
    info: ArmedInfoSam<R>,
    asam: Asam<R>,
}

impl<R: Real> AscentRule<R, 2, 0> for ArmedInfoAsam<R> {
    const STATISTIC: bool = true;

    #[inline(always)]
    fn remember(self, e: Element<R, 2, 0>) -> [R; 2] {
        self.info.observe(e)
    }

    #[inline(always)]
    fn norm_term(self, e: Element<R, 2, 0>) -> R {
        self.asam.operator(e.param) * self.info.weighted(e)
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 2, 0>) -> R {
        let t = self.asam.operator(e.param);
        t * (t * self.info.weighted(e))
    }

    #[inline(always)]
    fn statistic(self, e: Element<R, 2, 0>) -> R {
        self.info.statistic(e)
    }
}
