//! The variants of SAM, one file each, and [`for_each_variant!`](crate::for_each_variant): the single list.

pub mod asam;
pub mod constraint_preconditioner;
pub mod fisher_sam;
pub mod friendly_asam;
pub mod friendly_sam;
pub mod info_asam;
pub mod info_sam;
pub mod info_sam_draft;
pub mod masked_sam;
pub mod momentum_sam;
pub mod objective_preconditioner;
pub mod pre_sam;
pub mod raw_asam;
pub mod sam;
mod shorthand;
pub mod ssam;
pub mod vasso;

pub use crate::info::{Claim, Key, Limits, Slope, VariantInfo};

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
            friendly_asam: FriendlyAsam, memory 1, inputs 0;
            raw_asam: RawAsam, memory 0, inputs 0;
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
