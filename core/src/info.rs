//! What the lists say of a rule: [`VariantInfo`], [`BaseInfo`], and of its hyperparameters: [`Key`].

/// What the command line, the documentation tables and the tests say of a variant.
#[derive(Clone, Copy, Debug)]
pub struct VariantInfo {
    /// The name, as the field writes it: `fisher-sam`.
    pub name: &'static str,
    /// Other names, without hyphens.
    pub aliases: &'static [&'static str],
    /// The perturbation, in one line.
    pub formula: &'static str,
    /// The objective preconditioner C, the constraint preconditioner D and the slope s.
    pub preconditioner: &'static str,
    /// Floats of memory per parameter, M.
    pub memory: usize,
    /// Input slices, I.
    pub inputs: usize,
    /// What the ascent follows.
    pub slope: Slope,
    /// Its hyperparameters.
    pub keys: &'static [Key],
    /// Planes that the norm pass reads: 1 where it needs the gradient alone.
    pub norm_reads: usize,
    /// What it equals, and when.
    pub equals: &'static str,
    /// Where the formula comes from.
    pub source: &'static str,
    /// The laws it obeys; the suite tests each of them.
    pub claims: &'static [Claim],
}

/// What the command line, the documentation tables and the tests say of a base optimizer.
#[derive(Clone, Copy, Debug)]
pub struct BaseInfo {
    /// The name: `sgd-momentum`.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// The step, in one line.
    pub formula: &'static str,
    /// Floats of state per parameter, S.
    pub state: usize,
    /// Its hyperparameters.
    pub keys: &'static [Key],
    /// Where the formula comes from.
    pub source: &'static str,
}

/// A hyperparameter of a variant or a base optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its default.
    pub default: f64,
    /// Which values are within its range.
    pub limits: Limits,
    /// What it does.
    pub meaning: &'static str,
}

/// The range of a hyperparameter; never a NaN or an infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Limits {
    /// 0 or more.
    NonNegative,
    /// From 0 to 1, both included.
    Fraction,
    /// From 0 to below 1: the weight of an average's old value.
    Decay,
    /// 0 or 1.
    Switch,
    /// 1, 2, 3 ...
    Count,
}

impl Limits {
    /// Whether `value` is within the limits.
    ///
    /// ```
    /// use presam::variants::Limits;
    ///
    /// assert!(Limits::Decay.hold(0.9) && !Limits::Decay.hold(1.0) && !Limits::Decay.hold(f64::NAN));
    /// ```
    #[must_use]
    pub fn hold(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Self::NonNegative => value >= 0.0,
                Self::Fraction => (0.0..=1.0).contains(&value),
                Self::Decay => (0.0..1.0).contains(&value),
                Self::Switch => value == 0.0 || value == 1.0,
                Self::Count => value >= 1.0 && value % 1.0 == 0.0,
            }
    }

    /// The limits in words, to follow "expected".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NonNegative => "a number of at least 0",
            Self::Fraction => "a number from 0 to 1",
            Self::Decay => "a number from 0 to below 1",
            Self::Switch => "0 or 1",
            Self::Count => "a whole number of at least 1",
        }
    }
}

/// What an ascent follows: the s that a rule's formula starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slope {
    /// The gradient at the parameters: a step takes two.
    Gradient,
    /// The base optimizer's momentum, its first plane of state: a step takes one gradient, at the perturbed point.
    Momentum,
}

/// A law that a variant claims; a claim is tested, so it cannot be made lightly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// || perturbation || = rho: an objective preconditioner alone.
    LengthIsRho,
    /// || perturbation || <= rho.
    LengthAtMostRho,
    /// || D^-1 perturbation || = rho: a constraint preconditioner that is positive everywhere.
    ConstrainedLengthIsRho,
    /// g -> c g, all history scaled too, leaves the perturbation unchanged.
    ScaleInvariant,
    /// <g, perturbation> >= 0.
    Ascends,
    /// The first step (of a rule with memory) is SAM's.
    FirstStepIsSam,
    /// C and D are bounded away from zero and from infinity on bounded gradients, so that preSAM's
    /// convergence analysis applies.
    Bounded,
}
