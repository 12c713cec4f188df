//! The single list of rules; one file each, the formula first.
//!
//! Adding a rule is one file and one entry below: modules, [`Rule`], its names, planes, defaults and dispatch all come
//! from the list.

use crate::element::{Element, RuleState, Terms};
use std::fmt;

mod noise;

/// A second sum that a rule takes over the counted elements, beside its norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// None.
    None,
    /// Square root of the sum of squares.
    Norm,
    /// Sum divided by the number of elements.
    Mean,
}

macro_rules! rules {
    ($(
        $(#[$doc:meta])*
        $module:ident $Variant:ident $({ $( $(#[$field_doc:meta])* $field:ident: $default:expr ),+ $(,)? })?,
        $name:literal, memory $memory:literal, inputs $inputs:literal, statistic $statistic:ident;
    )*) => {
        $(mod $module;)*

        /// A SAM rule with its settings.
        #[derive(Clone, Copy, Debug, PartialEq)]
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

            /// Planes of read-only inputs.
            #[must_use]
            pub fn inputs(self) -> usize {
                match self { $( Self::$Variant { .. } => $inputs, )* }
            }

            /// The second sum it takes.
            #[must_use]
            pub fn statistic(self) -> Statistic {
                match self { $( Self::$Variant { .. } => Statistic::$statistic, )* }
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
    sam Sam, "sam", memory 0, inputs 0, statistic None;
    /// Adaptive SAM: D = |w| + eta.
    asam Asam {
        /// Offset of |w|.
        eta: 0.01,
    }, "asam", memory 0, inputs 0, statistic None;
    /// FisherSAM: D = (1 + eta g^2)^(-1/2).
    fisher_sam FisherSam {
        /// Weight of the squared gradient.
        eta: 1.0,
    }, "fisher-sam", memory 0, inputs 0, statistic None;
    /// The infoSAM authors' draft, undamped: C = 1 / (m - g)^2.
    info_sam_draft InfoSamDraft {
        /// Weight of the old m.
        decay: 0.9,
    }, "info-sam-draft", memory 1, inputs 0, statistic None;
    /// infoSAM, damped: C = 1 / (v_hat + damping).
    info_sam InfoSam {
        /// Weight of the old m.
        mean_decay: 0.9,
        /// Weight of the old v.
        variance_decay: 0.99,
        /// Damping in the unit of v.
        absolute_damping: 0.0,
        /// Damping as a multiple of the mean of v_hat.
        relative_damping: 1.0,
    }, "info-sam", memory 2, inputs 0, statistic Mean;
    /// info-sam's C together with ASAM's D.
    info_asam InfoAsam {
        /// Weight of the old m.
        mean_decay: 0.9,
        /// Weight of the old v.
        variance_decay: 0.99,
        /// Damping in the unit of v.
        absolute_damping: 0.0,
        /// Damping as a multiple of the mean of v_hat.
        relative_damping: 1.0,
        /// Offset of |w|.
        eta: 0.01,
    }, "info-asam", memory 2, inputs 0, statistic Mean;
    /// VaSSO: the slope is an average of gradients.
    vasso Vasso {
        /// Weight of the old average: 1 - theta of the paper.
        decay: 0.1,
    }, "vasso", memory 1, inputs 0, statistic None;
    /// Friendly SAM: the slope is the gradient without its average.
    friendly_sam FriendlySam {
        /// How much of the average is taken off.
        sigma: 1.0,
        /// Weight of the old average.
        decay: 0.9,
    }, "friendly-sam", memory 1, inputs 0, statistic Norm;
    /// SSAM as its authors' code has it: a mask on the direction, not in the norm.
    ssam Ssam, "ssam", memory 0, inputs 1, statistic None;
    /// SSAM as strict objective preconditioning: the mask in both.
    masked_sam MaskedSam, "masked-sam", memory 0, inputs 1, statistic None;
    /// Momentum-SAM: the slope is minus the momentum, handed in as the gradient.
    momentum_sam MomentumSam, "momentum-sam", memory 0, inputs 0, statistic None;
    /// A caller's C.
    objective_preconditioner ObjectivePreconditioner,
        "objective-preconditioner", memory 0, inputs 1, statistic None;
    /// A caller's D.
    constraint_preconditioner ConstraintPreconditioner,
        "constraint-preconditioner", memory 0, inputs 1, statistic None;
    /// A caller's C and D.
    pre_sam PreSam, "pre-sam", memory 0, inputs 2, statistic None;
}

impl Rule {
    /// The rule of this name, with its default settings.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|rule| rule.name() == name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
