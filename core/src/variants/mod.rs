//! The variants of SAM, one file each, and [`for_each_variant!`](crate::for_each_variant): the single list.

pub mod asam;
pub mod constraint_preconditioner;
pub mod fisher_sam;
pub mod friendly_sam;
pub mod info_asam;
pub mod info_sam;
pub mod info_sam_draft;
pub mod masked_sam;
pub mod momentum_sam;
pub mod objective_preconditioner;
pub mod pre_sam;
pub mod sam;
pub mod ssam;
pub mod vasso;

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

/// A hyperparameter of a variant.
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

/// Calls a macro with every variant: the one list that tests, benchmarks, kernels, the command line
/// and the tables are made from.
///
/// Each row is `module: Type, memory M, inputs I;`. Tokens after the callback's name are handed on
/// in front of the rows.
///
/// ```
/// macro_rules! names {
///     ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
///         [$(presam::variants::$module::INFO.name),*]
///     };
/// }
/// assert_eq!(presam::for_each_variant!(names)[0], "sam");
/// ```
#[macro_export]
macro_rules! for_each_variant {
    ($callback:ident $($before:tt)*) => {
        $callback! {
            $($before)*
            sam: Sam, memory 0, inputs 0;
            asam: Asam, memory 0, inputs 0;
            fisher_sam: FisherSam, memory 0, inputs 0;
            info_sam_draft: InfoSamDraft, memory 1, inputs 0;
            info_sam: InfoSam, memory 2, inputs 0;
            info_asam: InfoAsam, memory 2, inputs 0;
            vasso: Vasso, memory 1, inputs 0;
            friendly_sam: FriendlySam, memory 1, inputs 0;
            ssam: Ssam, memory 0, inputs 1;
            masked_sam: MaskedSam, memory 0, inputs 1;
            momentum_sam: MomentumSam, memory 0, inputs 0;
            objective_preconditioner: ObjectivePreconditioner, memory 0, inputs 1;
            constraint_preconditioner: ConstraintPreconditioner, memory 0, inputs 1;
            pre_sam: PreSam, memory 0, inputs 2;
        }
    };
}

macro_rules! list {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        $(pub use $module::$Variant;)*

        /// Every variant's [`VariantInfo`], in the order of [`for_each_variant!`](crate::for_each_variant).
        pub const ALL: &[VariantInfo] = &[$($module::INFO),*];

        // What a file says of its planes is what the types say.
        $(const _: () = assert!($module::INFO.memory == $m && $module::INFO.inputs == $i);)*
    };
}
for_each_variant!(list);

/// `Configure` for a variant without hyperparameters.
macro_rules! no_keys {
    ($Variant:ident) => {
        impl<R: $crate::Real> $Variant<R> {
            /// The variant; it has no hyperparameters.
            #[must_use]
            pub const fn new() -> Self {
                Self(core::marker::PhantomData)
            }
        }

        impl<R: $crate::Real> $crate::Configure for $Variant<R> {
            fn set(self, _key: &str, _value: f64) -> Result<Self, $crate::Error> {
                Err($crate::Error::UnknownKey { rule: INFO.name, expected: "(it has none)" })
            }
        }
    };
}
use no_keys;

/// `Variant` for a configuration that is its own rule.
macro_rules! arms_itself {
    ($Variant:ident, $m:literal, $i:literal $(, with_operator $applied:ident)?) => {
        impl<R: $crate::Real> $crate::Variant<R, $m, $i> for $Variant<R> {
            type Rule = Self;

            #[inline]
            fn arm(self, _state: &$crate::RuleState<R>) -> Self {
                self
            }

            $(
                #[inline]
                fn with_operator(self, applies: bool) -> Self {
                    self.$applied(applies)
                }
            )?
        }
    };
}
use arms_itself;
