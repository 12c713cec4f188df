//! What a variant is: [`Variant`] (configuration), [`AscentRule`] (armed for one step), [`Element`]
//! (what the rule sees of one parameter), [`RuleState`] (the counters of the whole model).

use crate::error::Error;
use crate::norm::ScaledNorm;
use crate::real::Real;

/// What a rule sees of one parameter: the parameter, its gradient, its memory and its inputs.
///
/// `memory` always holds the *old* values, in every expression of the rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element<R, const M: usize, const I: usize> {
    /// The parameter, w.
    pub param: R,
    /// The gradient at the parameter, g (or whatever slope the trainer hands in).
    pub grad: R,
    /// What the rule remembered in the step before, one value per memory plane.
    pub memory: [R; M],
    /// Read-only values the caller supplies: a mask, a preconditioner.
    pub inputs: [R; I],
}

/// The expressions of a variant, armed for one step.
///
/// ```text
/// norm N = || norm_term ||,  perturbation_i = scale * direction_i,  scale = rho / N  (or another LengthRule)
/// ```
///
/// For a constraint preconditioner D and an objective preconditioner C on the slope s, `norm_term` is
/// D C s and `direction` is D^2 C s. A stranger's rule is one `impl`:
///
/// ```
/// use presam::{AscentRule, Element, Real};
///
/// /// Every weight is perturbed in proportion to g |w|.
/// #[derive(Clone, Copy)]
/// struct Proportional;
///
/// impl<R: Real> AscentRule<R, 0, 0> for Proportional {
///     fn norm_term(self, e: Element<R, 0, 0>) -> R {
///         e.param.abs() * e.grad
///     }
///     fn direction(self, e: Element<R, 0, 0>) -> R {
///         e.param.abs() * e.grad
///     }
/// }
/// ```
///
/// Keep to [`Real`]'s operations and mark small functions `#[inline(always)]`: the loops around them
/// are compiled once per CPU level and vectorise only what is inlined.
pub trait AscentRule<R: Real, const M: usize, const I: usize>: Copy + Send + Sync {
    /// Whether [`statistic`](AscentRule::statistic) is summed in the norm pass.
    const STATISTIC: bool = false;

    /// The memory after this step.
    #[inline(always)]
    fn remember(self, element: Element<R, M, I>) -> [R; M] {
        element.memory
    }

    /// (D C s)_i: squared and summed by the norm contract.
    fn norm_term(self, element: Element<R, M, I>) -> R;

    /// (D^2 C s)_i: times the scale, added to the parameter.
    fn direction(self, element: Element<R, M, I>) -> R;

    /// A second sum in the same pass, without range classes.
    #[inline(always)]
    fn statistic(self, _element: Element<R, M, I>) -> R {
        R::ZERO
    }
}

/// A variant of SAM: a validated configuration that arms an [`AscentRule`] for one step.
pub trait Variant<R: Real, const M: usize, const I: usize>: Copy {
    /// What the configuration becomes for one step.
    type Rule: AscentRule<R, M, I>;

    /// The rule of the step that follows `state`.
    fn arm(self, state: &RuleState<R>) -> Self::Rule;

    /// The state after a step that stored memory; `mean_statistic` is the statistic over the counted elements.
    #[inline]
    fn advance(self, state: &RuleState<R>, _mean_statistic: R) -> RuleState<R> {
        RuleState { steps: state.steps.saturating_add(1), ..*state }
    }

    /// Whether the norm is rounding noise and counts as zero; `statistic` is the whole sum.
    #[inline]
    fn is_degenerate(self, _norm: ScaledNorm<R>, _statistic: R) -> bool {
        false
    }

    /// The variant for a group in which ASAM's operator does (not) apply. Others ignore it.
    #[inline]
    #[must_use]
    fn with_operator(self, _applies: bool) -> Self {
        self
    }
}

/// Hyperparameters by name, for command lines and configuration files.
pub trait Configure: Sized + Default {
    /// The configuration with `key` set.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] for a name the variant does not have, [`Error::Hyperparameter`] for a
    /// value outside its range.
    fn set(self, key: &str, value: f64) -> Result<Self, Error>;
}

/// The counters of a rule: one small value for the whole model, part of a checkpoint.
///
/// Advanced once a step by [`finish`](crate::finish), and only where memory is stored: a skipped
/// first step stays the first.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(C)]
pub struct RuleState<R> {
    /// decay^n over the observations so far: a running product, in `f64` whatever the scalar.
    pub decay_power: f64,
    /// The mean of the statistic in the step before, in the rule's own unit.
    pub mean: R,
    /// Steps that stored memory.
    pub steps: u32,
}

impl<R: Real> RuleState<R> {
    /// Before the first step.
    pub const fn new() -> Self {
        Self { decay_power: 1.0, mean: R::ZERO, steps: 0 }
    }
}

impl<R: Real> Default for RuleState<R> {
    fn default() -> Self {
        Self::new()
    }
}
