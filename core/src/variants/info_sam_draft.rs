//! infoSAM as its authors first committed it, undamped.
//!
//! ```text
//! m <- decay m + (1 - decay) g      first step: m <- g
//! b  = (m - g)^2                    first step: b = 1, which is SAM
//! perturbation = rho (g / b) / || g / b ||
//! ```
//!
//! Preconditioning: of the objective, C = 1/b. Memory: m, one float per parameter.
//! `decay` is the draft's alpha, the weight of the OLD value; no default of it exists anywhere: 0.9 is ours.
//! Undamped, nearly the whole perturbation falls on a handful of weights, and an entry whose gradient
//! repeats divides by zero: [`Outcome::NonFinite`](crate::Outcome). A network with dead units stops
//! there. Use [`InfoSam`](crate::InfoSam) to train.
//! Source: BingcongLi/VaSSO, commit c68bcb0, solver/infosam.py (guard 1e-7 on the norm: a
//! [`LengthRule`](crate::LengthRule)); the idea is that of preSAM (arXiv 2501.06603).
//!
//! By hand: decay 0.5, g1 = (2, 4), g2 = (4, 2): m = (3, 3), b = (1, 1), perturbation as SAM's for g2.

use crate::element::{AscentRule, Configure, Element, RuleState, Variant};
use crate::error::{Error, check_decay};
use crate::info::{Claim, Key, Limits, Slope, VariantInfo};
use crate::real::Real;

/// What the lists say of the draft.
pub const INFO: VariantInfo = VariantInfo {
    name: "info-sam-draft",
    aliases: &[],
    formula: "rho C g / ||C g||, C = 1 / (m - g)^2, m <- decay m + (1 - decay) g",
    preconditioner: "C = 1 / (m - g)^2, D = I",
    memory: 1,
    inputs: 0,
    slope: Slope::Gradient,
    keys: &[Key {
        name: "decay",
        default: 0.9,
        limits: Limits::Decay,
        meaning: "weight of the old m",
    }],
    norm_reads: 2,
    equals: "SAM in the first step",
    source: "BingcongLi/VaSSO c68bcb0; preSAM, arXiv 2501.06603",
    claims: &[Claim::LengthIsRho, Claim::ScaleInvariant, Claim::Ascends, Claim::FirstStepIsSam],
};

/// The draft's configuration.
///
/// ```
/// use presam::{AscentRule, Element, InfoSamDraft, RuleState, Variant};
///
/// let draft = InfoSamDraft::new(0.5f64)?;
/// let later = draft.arm(&RuleState { steps: 1, ..RuleState::new() });
/// let element = Element { param: 0.0, grad: 4.0, memory: [0.0], inputs: [] };
/// assert_eq!(later.remember(element), [2.0]);
/// assert_eq!(later.direction(element), 1.0); // 4 / (2 - 4)^2
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct InfoSamDraft<R> {
    decay: R,
}

impl<R: Real> InfoSamDraft<R> {
    /// The draft with weight `decay` on the old average.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless 0 <= `decay` < 1.
    pub fn new(decay: R) -> Result<Self, Error> {
        Ok(Self { decay: check_decay("decay", decay)? })
    }
}

impl<R: Real> Default for InfoSamDraft<R> {
    fn default() -> Self {
        Self { decay: R::from_f64(0.9) }
    }
}

impl<R: Real> Configure for InfoSamDraft<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        match key {
            "decay" => Self::new(R::from_f64(value)),
            _ => Err(Error::UnknownKey { rule: INFO.name, expected: "decay" }),
        }
    }
}

impl<R: Real> Variant<R, 1, 0> for InfoSamDraft<R> {
    type Rule = ArmedInfoSamDraft<R>;

    #[inline]
    fn arm(self, state: &RuleState<R>) -> ArmedInfoSamDraft<R> {
        ArmedInfoSamDraft { decay: self.decay, first: state.steps == 0 }
    }
}

/// The draft armed for one step: norm term and direction are g / b.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct ArmedInfoSamDraft<R> {
    decay: R,
    first: bool,
}

impl<R: Real> AscentRule<R, 1, 0> for ArmedInfoSamDraft<R> {
    #[inline(always)]
    fn remember(self, e: Element<R, 1, 0>) -> [R; 1] {
        let [old] = e.memory;
        [R::select(self.first, e.grad, self.decay * old + (R::ONE - self.decay) * e.grad)]
    }

    #[inline(always)]
    fn norm_term(self, e: Element<R, 1, 0>) -> R {
        self.direction(e)
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 1, 0>) -> R {
        let [m] = self.remember(e);
        let deviation = m - e.grad;
        e.grad / R::select(self.first, R::ONE, deviation * deviation)
    }
}
