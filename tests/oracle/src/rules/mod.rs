//! The single list of rules; one file each, the formula first.
//!
//! Adding a rule is one file and one entry below: modules, [`Rule`], its names, planes, settings, claims and dispatch
//! all come from the list.

use crate::about::{ABSOLUTE, Claim, DECAYS, Input, OFFSETS, RELATIVE, SHARES, Statistic};
use crate::element::{Element, RuleState, Terms};
use std::fmt;

mod noise;

macro_rules! rules {
    ($(
        $(#[$doc:meta])*
        $module:ident $Variant:ident
            $({ $( $(#[$field_doc:meta])* $field:ident: $default:literal or $tried:ident ),+ $(,)? })?,
        $name:literal, memory $memory:literal, inputs [$($input:ident),*], statistic $statistic:ident,
        claims [$($claim:ident),*];
    )*) => {
        $(mod $module;)*

        /// A SAM rule with its settings.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Rule {
            $( $(#[$doc])* $Variant $({ $( $(#[$field_doc])* $field: f64 ),+ })?, )*
        }

        impl Rule {
            /// Every rule, with its default settings.
            #[must_use]
            pub fn all() -> Vec<Self> {
                vec![$( Self::$Variant $({ $($field: $default),+ })? ),*]
            }

            /// The name in the command line and the tables.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Self::$Variant { .. } => $name, )* }
            }

            /// Planes of memory.
            #[must_use]
            pub fn memory(self) -> usize {
                match self { $( Self::$Variant { .. } => $memory, )* }
            }

            /// What its planes of read-only inputs hold, one word each.
            #[must_use]
            pub fn input_kinds(self) -> &'static [Input] {
                match self { $( Self::$Variant { .. } => &[$(Input::$input),*], )* }
            }

            /// The second sum it takes.
            #[must_use]
            pub fn statistic(self) -> Statistic {
                match self { $( Self::$Variant { .. } => Statistic::$statistic, )* }
            }

            /// What holds of it, besides its formula.
            #[must_use]
            pub fn claims(self) -> &'static [Claim] {
                match self { $( Self::$Variant { .. } => &[$(Claim::$claim),*], )* }
            }

            /// Its settings: names and values, in the order of the list.
            #[must_use]
            pub fn settings(self) -> Vec<(&'static str, f64)> {
                match self {
                    $( Self::$Variant $({ $($field),+ })? => vec![$($((stringify!($field), $field)),+)?], )*
                }
            }

            /// For each setting the values worth trying, the simplest first.
            #[must_use]
            pub fn tried(self) -> Vec<&'static [f64]> {
                match self { $( Self::$Variant { .. } => vec![$($($tried),+)?], )* }
            }

            /// The same rule with every setting put through `f`, which sees its name and value.
            ///
            /// # Errors
            /// The first of `f`.
            pub fn try_map_settings<E>(
                self,
                mut f: impl FnMut(&'static str, f64) -> Result<f64, E>,
            ) -> Result<Self, E> {
                Ok(match self {
                    $( Self::$Variant $({ $($field),+ })? =>
                        Self::$Variant $({ $($field: f(stringify!($field), $field)?),+ })?, )*
                })
            }

            /// What one element adds to the step.
            #[must_use]
            pub fn terms(self, element: &Element, state: RuleState) -> Terms {
                match self {
                    $( Self::$Variant { $($($field),+)? } => $module::terms(element, state $($(, $field)+)?), )*
                }
            }
        }
    };
}

rules! {
    /// Sharpness-aware minimisation: C = D = 1.
    sam Sam, "sam", memory 0, inputs [], statistic None,
        claims [LengthIsRho, ScaleInvariant, Ascends, AnyRange];
    /// Adaptive SAM: D = |w| + eta.
    asam Asam {
        /// Offset of |w|.
        eta: 0.01 or OFFSETS,
    }, "asam", memory 0, inputs [], statistic None,
        claims [ConstrainedLengthIsRho, ScaleInvariant, Ascends, AnyRange];
    /// FisherSAM: D = (1 + eta g^2)^(-1/2).
    fisher_sam FisherSam {
        /// Weight of the squared gradient.
        eta: 1.0 or OFFSETS,
    }, "fisher-sam", memory 0, inputs [], statistic None,
        claims [ConstrainedLengthIsRho, LengthAtMostRho, Ascends];
    /// The infoSAM authors' draft, undamped: C = 1 / (m - g)^2.
    info_sam_draft InfoSamDraft {
        /// Weight of the old m.
        decay: 0.9 or DECAYS,
    }, "info-sam-draft", memory 1, inputs [], statistic None,
        claims [LengthIsRho, ScaleInvariant, Ascends, FirstStepIsSam];
    /// infoSAM, damped: C = 1 / (v_hat + damping).
    info_sam InfoSam {
        /// Weight of the old m.
        mean_decay: 0.9 or DECAYS,
        /// Weight of the old v.
        variance_decay: 0.99 or DECAYS,
        /// Damping in the unit of v.
        absolute_damping: 0.0 or ABSOLUTE,
        /// Damping as a multiple of the mean of v_hat.
        relative_damping: 1.0 or RELATIVE,
    }, "info-sam", memory 2, inputs [], statistic Mean,
        claims [LengthIsRho, ScaleInvariant, Ascends, FirstStepIsSam];
    /// info-sam's C together with ASAM's D.
    info_asam InfoAsam {
        /// Weight of the old m.
        mean_decay: 0.9 or DECAYS,
        /// Weight of the old v.
        variance_decay: 0.99 or DECAYS,
        /// Damping in the unit of v.
        absolute_damping: 0.0 or ABSOLUTE,
        /// Damping as a multiple of the mean of v_hat.
        relative_damping: 1.0 or RELATIVE,
        /// Offset of |w|.
        eta: 0.01 or OFFSETS,
    }, "info-asam", memory 2, inputs [], statistic Mean,
        claims [ConstrainedLengthIsRho, ScaleInvariant, Ascends];
    /// VaSSO: the slope is an average of gradients.
    vasso Vasso {
        /// Weight of the old average: 1 - theta of the paper.
        decay: 0.1 or DECAYS,
    }, "vasso", memory 1, inputs [], statistic None,
        claims [LengthIsRho, ScaleInvariant, FirstStepIsSam, AnyRange];
    /// Friendly SAM: the slope is the gradient without its average.
    friendly_sam FriendlySam {
        /// How much of the average is taken off.
        sigma: 1.0 or SHARES,
        /// Weight of the old average.
        decay: 0.9 or DECAYS,
    }, "friendly-sam", memory 1, inputs [], statistic Norm,
        claims [LengthIsRho, ScaleInvariant, FirstStepIsSam];
    /// SSAM as its authors' code has it: a mask on the direction, not in the norm.
    ssam Ssam, "ssam", memory 0, inputs [Mask], statistic None,
        claims [LengthAtMostRho, ScaleInvariant, Ascends, AnyRange];
    /// SSAM as strict objective preconditioning: the mask in both.
    masked_sam MaskedSam, "masked-sam", memory 0, inputs [Mask], statistic None,
        claims [LengthIsRho, ScaleInvariant, Ascends, AnyRange];
    /// Momentum-SAM: the slope is minus the momentum, handed in as the gradient.
    momentum_sam MomentumSam, "momentum-sam", memory 0, inputs [], statistic None,
        claims [LengthIsRho, ScaleInvariant, AnyRange];
    /// A caller's C.
    objective_preconditioner ObjectivePreconditioner,
        "objective-preconditioner", memory 0, inputs [Objective], statistic None,
        claims [LengthIsRho, ScaleInvariant, AnyRange];
    /// A caller's D.
    constraint_preconditioner ConstraintPreconditioner,
        "constraint-preconditioner", memory 0, inputs [Constraint], statistic None,
        claims [ConstrainedLengthIsRho, ScaleInvariant, Ascends, AnyRange];
    /// A caller's C and D.
    pre_sam PreSam, "pre-sam", memory 0, inputs [Objective, Constraint], statistic None,
        claims [ConstrainedLengthIsRho, ScaleInvariant, AnyRange];
    /// Friendly SAM with ASAM's operator on its slope: D = |w|.
    friendly_asam FriendlyAsam {
        /// How much of the average is taken off.
        sigma: 1.0 or SHARES,
        /// Weight of the old average.
        decay: 0.9 or DECAYS,
    }, "friendly-asam", memory 1, inputs [], statistic Norm,
        claims [ConstrainedLengthIsRho, ScaleInvariant];
    /// ASAM in big_vision's form: |w| once, over the norm of g.
    raw_asam RawAsam, "raw-asam", memory 0, inputs [], statistic None,
        claims [ScaleInvariant, Ascends, AnyRange];
}

impl Rule {
    /// The rule of this name, with its default settings.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|rule| rule.name() == name)
    }

    /// Planes of read-only inputs.
    #[must_use]
    pub fn inputs(self) -> usize {
        self.input_kinds().len()
    }

    /// The value of this setting, where the rule has it.
    #[must_use]
    pub fn setting(self, name: &str) -> Option<f64> {
        self.settings().into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The same rule with every setting put through `f`, which sees its name and value.
    #[must_use]
    pub fn map_settings(self, mut f: impl FnMut(&'static str, f64) -> f64) -> Self {
        let mapped = self.try_map_settings(|name, value| Ok(f(name, value)));
        mapped.unwrap_or_else(|never: std::convert::Infallible| match never {})
    }

    /// Whether its counters carry the mean of its statistic to the next step.
    #[must_use]
    pub fn carries_mean(self) -> bool {
        self.statistic() == Statistic::Mean
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
