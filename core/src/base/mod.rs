//! Base optimizers: what takes the step once the perturbed gradient is there.

pub mod adamw;
mod optimizer;
pub mod sgd;
pub mod sgd_momentum;

pub use crate::info::BaseInfo;
pub use adamw::ArmedAdamW;
pub use optimizer::{BaseOptimizer, BaseState, DescentRule};
pub use sgd_momentum::ArmedSgdMomentum;

/// Calls a macro with every base optimizer: rows `module: Type, state S;`, as
/// [`for_each_variant!`](crate::for_each_variant) does for the variants.
///
/// ```
/// macro_rules! count {
///     ($($module:ident: $Base:ident, state $s:literal;)*) => { [$($s),*].len() };
/// }
/// assert_eq!(presam::for_each_base!(count), 3);
/// ```
#[macro_export]
macro_rules! for_each_base {
    ($callback:ident $($before:tt)*) => {
        $callback! {
            $($before)*
            sgd: Sgd, state 0;
            sgd_momentum: SgdMomentum, state 1;
            adamw: AdamW, state 2;
        }
    };
}

macro_rules! list {
    ($($module:ident: $Base:ident, state $s:literal;)*) => {
        $(pub use $module::$Base;)*

        /// Every base optimizer's [`BaseInfo`], in the order of [`for_each_base!`](crate::for_each_base).
        pub const ALL: &[BaseInfo] = &[$($module::INFO),*];

        // What a file says of its planes is what the types say.
        $(const _: () = assert!($module::INFO.state == $s);)*
    };
}
for_each_base!(list);
