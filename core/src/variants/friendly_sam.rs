//! Friendly SAM: SAM without the part of the gradient that all batches share.
//!
//! ```text
//! s = g - sigma m_old                       first step: s = g
//! m <- decay m_old + (1 - decay) g          first step: m <- g
//! perturbation = rho s / ||s||
//! ```
//!
//! Preconditioning: none; the slope is replaced, s. Memory: m, one float per parameter.
//! `decay` is the code's lambda, the weight of the OLD value. The step can point against g.
//! Where gradients repeat, s is rounding noise that other codes stretch to the full rho:
//! ||s|| < 2^-20 ||g|| (`f64` 2^-48) is [`Outcome::ZeroNorm`](crate::Outcome) here.
//! Range: the sum of g^2 is the rule's statistic and has no range classes. An infinite one is
//! [`Outcome::NonFinite`](crate::Outcome); one below 2^-100 (`f64` 2^-900) counts as that, so that ||s||
//! below 2^-70 (2^-498) is a zero norm. A gradient of exactly zero perturbs along the memory.
//! Source: Li, Zhou, He, Cheng, Huang 2024 (arXiv 2403.12350); code nblt/F-SAM (sigma 1, lambda 0.9).
//! "F-SAM" also stands for FisherSAM elsewhere: the name here is friendly-sam. The code's `--adaptive` is
//! [`FriendlyAsam`](crate::FriendlyAsam).
//!
//! By hand: sigma 1, g1 = (1, 0), g2 = (1, 2): s = (0, 2), perturbation rho (0, 1).

use crate::element::{AscentRule, Configure, Element, RuleState, Variant};
use crate::error::{Error, check_decay, check_nonnegative};
use crate::info::{Claim, Key, Limits, Slope, VariantInfo};
use crate::norm::ScaledNorm;
use crate::real::Real;
use crate::switch::Switch;

/// What the lists say of Friendly SAM.
pub const INFO: VariantInfo = VariantInfo {
    name: "friendly-sam",
    aliases: &["f-sam", "fsam"],
    formula: "rho s / ||s||, s = g - sigma m, m <- decay m + (1 - decay) g",
    preconditioner: "C = I, D = I, slope s",
    memory: 1,
    inputs: 0,
    slope: Slope::Gradient,
    keys: &[
        Key {
            name: "sigma",
            default: 1.0,
            limits: Limits::NonNegative,
            meaning: "share of m taken away",
        },
        Key { name: "decay", default: 0.9, limits: Limits::Decay, meaning: "weight of the old m" },
    ],
    norm_reads: 3,
    equals: "SAM at sigma = 0",
    source: "Li et al. 2024, arXiv 2403.12350; nblt/F-SAM",
    claims: &[Claim::LengthIsRho, Claim::ScaleInvariant, Claim::FirstStepIsSam],
};

/// Friendly SAM's configuration.
///
/// ```
/// use presam::{AscentRule, Element, FriendlySam, RuleState, Variant};
///
/// let friendly = FriendlySam::new(1.0f64, 0.5)?;
/// let later = friendly.arm(&RuleState { steps: 1, ..RuleState::new() });
/// let element = Element { param: 0.0, grad: 3.0, memory: [1.0], inputs: [] };
/// assert_eq!(later.direction(element), 2.0);
/// assert_eq!(later.remember(element), [2.0]);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct FriendlySam<R> {
    sigma: R,
    decay: R,
    /// ASAM's |w| on s: `FriendlyAsam`, whose passes are so the same kernels.
    operator: Switch,
}

impl<R: Real> FriendlySam<R> {
    /// Friendly SAM that takes away `sigma` of an average with weight `decay` on its old value.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `sigma` is finite and >= 0 and 0 <= `decay` < 1.
    pub fn new(sigma: R, decay: R) -> Result<Self, Error> {
        let (sigma, decay) = (check_nonnegative("sigma", sigma)?, check_decay("decay", decay)?);
        Ok(Self { sigma, decay, operator: Switch::OFF })
    }

    /// The same with ASAM's operator.
    pub(super) const fn with_asam(self) -> Self {
        Self { operator: Switch::ON, ..self }
    }

    /// [`Configure::set`] for the rule of that name.
    pub(super) fn set_for(self, rule: &'static str, key: &str, value: f64) -> Result<Self, Error> {
        let set = match key {
            "sigma" => Self::new(R::from_f64(value), self.decay),
            "decay" => Self::new(self.sigma, R::from_f64(value)),
            _ => Err(Error::UnknownKey { rule, expected: "sigma, decay" }),
        };
        Ok(Self { operator: self.operator, ..set? })
    }
}

impl<R: Real> Default for FriendlySam<R> {
    fn default() -> Self {
        Self { sigma: R::ONE, decay: R::from_f64(0.9), operator: Switch::OFF }
    }
}

impl<R: Real> Configure for FriendlySam<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        self.set_for(INFO.name, key, value)
    }
}

impl<R: Real> Variant<R, 1, 0> for FriendlySam<R> {
    type Rule = ArmedFriendlySam<R>;

    #[inline]
    fn arm(self, state: &RuleState<R>) -> ArmedFriendlySam<R> {
        ArmedFriendlySam { config: self, first: state.steps == 0 }
    }

    // Off for good: on again would be another kernel for `FriendlyAsam`.
    #[inline]
    fn with_operator(self, applies: bool) -> Self {
        Self { operator: Switch::new(self.operator.is_on() & applies), ..self }
    }

    #[inline]
    fn is_degenerate(self, norm: ScaledNorm<R>, statistic: R) -> bool {
        // A sum of (t g)^2 below the range may have lost digits, or all: then t g is taken as large as it can be.
        let seen = R::select(statistic < R::SMALL_SUM, R::SMALL_SUM, statistic);
        norm.value() < R::RELATIVE_NOISE * seen.sqrt()
    }
}

/// Friendly SAM armed for one step: norm term t s, direction t (t s), statistic (t g)^2; t is 1, or |w| for
/// [`FriendlyAsam`](crate::FriendlyAsam).
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct ArmedFriendlySam<R> {
    config: FriendlySam<R>,
    first: bool,
}

impl<R: Real> ArmedFriendlySam<R> {
    /// t
    #[inline(always)]
    fn operator(self, param: R) -> R {
        R::select(self.config.operator.is_on(), param.abs(), R::ONE)
    }
}

impl<R: Real> AscentRule<R, 1, 0> for ArmedFriendlySam<R> {
    const STATISTIC: bool = true;

    #[inline(always)]
    fn remember(self, e: Element<R, 1, 0>) -> [R; 1] {
        let ([old], decay) = (e.memory, self.config.decay);
        [R::select(self.first, e.grad, decay * old + (R::ONE - decay) * e.grad)]
    }

    #[inline(always)]
    fn norm_term(self, e: Element<R, 1, 0>) -> R {
        let [old] = e.memory;
        let slope = R::select(self.first, e.grad, e.grad - self.config.sigma * old);
        self.operator(e.param) * slope
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 1, 0>) -> R {
        self.operator(e.param) * self.norm_term(e)
    }

    #[inline(always)]
    fn statistic(self, e: Element<R, 1, 0>) -> R {
        let gradient = self.operator(e.param) * e.grad;
        gradient * gradient
    }
}
