//! infoSAM, damped: gradient entries weigh less the noisier they are.
//!
//! ```text
//! v <- variance_decay v + (1 - variance_decay) (m_old - g)^2     first step: v <- 0
//! m <- mean_decay m_old + (1 - mean_decay) g                     first step: m <- g
//! bias = 1 - variance_decay^n, n the observations of v so far (steps - 1);   v_hat = v / bias
//! damping = absolute_damping + relative_damping * mean(v_hat of the step before)
//! C = 1 / (v_hat + damping), computed as bias / (v + bias * damping)
//! perturbation = rho C g / || C g ||
//! ```
//!
//! Preconditioning: of the objective. Memory: m and v, two floats per parameter. The mean runs over
//! the counted elements, as the statistic of the norm pass, so damping costs no pass of its own.
//! The first two steps are SAM's, as is any step whose damping is 0. The default damping of ten means
//! is what a tuning on noisy digits chose: alone, noise weights do best close to SAM; with ASAM's
//! operator they pay at one mean ([`InfoAsam`](crate::InfoAsam)).
//! Range: (m - g)^2 must be representable.
//! Source: the idea is infoSAM's (preSAM, arXiv 2501.06603, whose final formula could not be
//! obtained); average and damping are ours: undamped, one weight takes all
//! ([`InfoSamDraft`](crate::InfoSamDraft)).
//!
//! By hand: v_hat = (1, 3), damping 1, g = (2, 4): C = (1/2, 1/4), C g = (1, 1).

use crate::bias::{bias_of, next_power};
use crate::element::{AscentRule, Configure, Element, RuleState, Variant};
use crate::error::{Error, check_decay, check_nonnegative};
use crate::info::{Claim, Key, Limits, Slope, VariantInfo};
use crate::real::Real;

/// The hyperparameters of the noise estimate, here and in info-asam.
pub(super) const KEYS: &[Key] = &[
    Key { name: "mean_decay", default: 0.9, limits: Limits::Decay, meaning: "weight of the old m" },
    Key {
        name: "variance_decay",
        default: 0.99,
        limits: Limits::Decay,
        meaning: "weight of the old v",
    },
    Key {
        name: "absolute_damping",
        default: 0.0,
        limits: Limits::NonNegative,
        meaning: "added to v_hat",
    },
    Key {
        name: "relative_damping",
        default: 10.0,
        limits: Limits::NonNegative,
        meaning: "times the mean of v_hat",
    },
];

/// What the lists say of infoSAM.
pub const INFO: VariantInfo = VariantInfo {
    name: "info-sam",
    aliases: &[],
    formula: "rho C g / ||C g||, C = 1 / (v_hat + damping), v the average of (m - g)^2",
    preconditioner: "C = 1 / (v_hat + damping), D = I",
    memory: 2,
    inputs: 0,
    slope: Slope::Gradient,
    keys: KEYS,
    norm_reads: 3,
    equals: "SAM in the first two steps, and as damping grows",
    source: "preSAM, arXiv 2501.06603; average and damping are ours",
    claims: &[
        Claim::LengthIsRho,
        Claim::ScaleInvariant,
        Claim::Ascends,
        Claim::FirstStepIsSam,
        Claim::Bounded,
    ],
};

/// infoSAM's configuration.
///
/// ```
/// use presam::{AscentRule, Element, InfoSam, RuleState, Variant};
///
/// // Two steps done, the mean of v_hat was 1: bias = 1 - 0.5 * 0.5 = 0.75.
/// let info = InfoSam::new(0.0f64, 0.5, 0.0, 1.0)?;
/// let armed = info.arm(&RuleState { steps: 2, decay_power: 0.5, mean: 1.0 });
/// let element = Element { param: 0.0, grad: 2.0, memory: [2.0, 1.5], inputs: [] };
/// assert_eq!(armed.remember(element), [2.0, 0.75]); // v_hat = 1
/// assert_eq!(armed.direction(element), 1.0); // C = 1/2
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct InfoSam<R> {
    mean_decay: R,
    variance_decay: R,
    absolute_damping: R,
    relative_damping: R,
}

impl<R: Real> InfoSam<R> {
    /// infoSAM with the weights of the old m and the old v, and both dampings.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless the decays are in [0, 1) and the dampings finite and >= 0.
    pub fn new(
        mean_decay: R,
        variance_decay: R,
        absolute_damping: R,
        relative_damping: R,
    ) -> Result<Self, Error> {
        Ok(Self {
            mean_decay: check_decay("mean_decay", mean_decay)?,
            variance_decay: check_decay("variance_decay", variance_decay)?,
            absolute_damping: check_nonnegative("absolute_damping", absolute_damping)?,
            relative_damping: check_nonnegative("relative_damping", relative_damping)?,
        })
    }

    /// For info-asam's default, which is a number within the range.
    pub(super) fn with_relative_damping(self, relative_damping: R) -> Self {
        Self { relative_damping, ..self }
    }

    /// Sets a key of the noise estimate; `rule` and `expected` are for the message.
    pub(super) fn set_for(
        self,
        key: &str,
        value: f64,
        (rule, expected): (&'static str, &'static str),
    ) -> Result<Self, Error> {
        let Self { mean_decay, variance_decay, absolute_damping, relative_damping } = self;
        let value = R::from_f64(value);
        match key {
            "mean_decay" => Self::new(value, variance_decay, absolute_damping, relative_damping),
            "variance_decay" => Self::new(mean_decay, value, absolute_damping, relative_damping),
            "absolute_damping" => Self::new(mean_decay, variance_decay, value, relative_damping),
            "relative_damping" => Self::new(mean_decay, variance_decay, absolute_damping, value),
            _ => Err(Error::UnknownKey { rule, expected }),
        }
    }

    /// variance_decay^n after one more observation.
    fn next_power(self, state: &RuleState<R>) -> f64 {
        next_power(state.decay_power, self.variance_decay)
    }
}

impl<R: Real> Default for InfoSam<R> {
    fn default() -> Self {
        Self {
            mean_decay: R::from_f64(0.9),
            variance_decay: R::from_f64(0.99),
            absolute_damping: R::ZERO,
            relative_damping: R::from_f64(10.0),
        }
    }
}

impl<R: Real> Configure for InfoSam<R> {
    fn set(self, key: &str, value: f64) -> Result<Self, Error> {
        let expected = "mean_decay, variance_decay, absolute_damping, relative_damping";
        self.set_for(key, value, (INFO.name, expected))
    }
}

impl<R: Real> Variant<R, 2, 0> for InfoSam<R> {
    type Rule = ArmedInfoSam<R>;

    #[inline]
    fn arm(self, state: &RuleState<R>) -> ArmedInfoSam<R> {
        let bias = bias_of::<R>(self.next_power(state));
        // A damping that is not normal dies: 1 / damping stays finite where v is 0.
        let damping = (self.absolute_damping + self.relative_damping * state.mean).flush();
        let bias_damping = bias * damping;
        ArmedInfoSam {
            mean_decay: self.mean_decay,
            variance_decay: self.variance_decay,
            bias,
            bias_damping,
            first: state.steps == 0,
            plain: state.steps < 2 || damping == R::ZERO,
        }
    }

    /// The first step observes no variance: it has no mean to compare its gradient with.
    fn advance(self, state: &RuleState<R>, mean_statistic: R) -> RuleState<R> {
        let steps = state.steps.saturating_add(1);
        if state.steps == 0 {
            return RuleState { steps, ..*state };
        }
        let decay_power = self.next_power(state);
        let mean = (mean_statistic / bias_of(decay_power)).flush();
        RuleState { decay_power, mean, steps }
    }
}

/// infoSAM armed for one step: norm term and direction are C g, the statistic is the new v.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct ArmedInfoSam<R> {
    mean_decay: R,
    variance_decay: R,
    bias: R,
    bias_damping: R,
    first: bool,
    plain: bool,
}

impl<R: Real> ArmedInfoSam<R> {
    /// C g
    #[inline(always)]
    pub(super) fn weighted<const I: usize>(self, e: Element<R, 2, I>) -> R {
        let [_, v] = self.observe(e);
        R::select(self.plain, R::ONE, self.bias / (v + self.bias_damping)) * e.grad
    }

    /// The new m and v.
    #[inline(always)]
    pub(super) fn observe<const I: usize>(self, e: Element<R, 2, I>) -> [R; 2] {
        let [m, v] = e.memory;
        let deviation = m - e.grad;
        let mean = self.mean_decay * m + (R::ONE - self.mean_decay) * e.grad;
        let variance =
            self.variance_decay * v + (R::ONE - self.variance_decay) * (deviation * deviation);
        [R::select(self.first, e.grad, mean), R::select(self.first, R::ZERO, variance.flush())]
    }
}

impl<R: Real> AscentRule<R, 2, 0> for ArmedInfoSam<R> {
    const STATISTIC: bool = true;

    #[inline(always)]
    fn remember(self, e: Element<R, 2, 0>) -> [R; 2] {
        self.observe(e)
    }

    #[inline(always)]
    fn norm_term(self, e: Element<R, 2, 0>) -> R {
        self.weighted(e)
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 2, 0>) -> R {
        self.weighted(e)
    }

    #[inline(always)]
    fn statistic(self, e: Element<R, 2, 0>) -> R {
        let [_, v] = self.observe(e);
        v
    }
}
