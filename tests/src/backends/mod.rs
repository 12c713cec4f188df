//! core as backends of the conformance suite: [`Phases`], which the program has too, and the others.
//!
//! Each is `Backend<f32>` and `Backend<f64>`, written for the two types and not generic, so that the
//! loops of every rule are compiled once, here, and not again in every test.

mod device;
mod session;
mod threads;

pub use device::Devices;
pub use presam_cuda::core_backend::{
    Phases, adamw, base_state, group, keys, length_rule, rule_state, sgd, sgd_momentum,
};
pub use session::Sessions;
pub use threads::Threads;

/// `Backend<f32>` and `Backend<f64>` for a [`Job`].
macro_rules! backend {
    ($Job:ident, $bases:expr) => {
        $crate::backends::backend!($Job, $bases, f32);
        $crate::backends::backend!($Job, $bases, f64);
    };
    ($Job:ident, $bases:expr, $real:ident) => {
        impl presam_conformance::Backend<$real> for $Job {
            fn scope(&self) -> presam_conformance::Scope {
                let bases = $bases.to_vec();
                presam_conformance::Scope { bases, ..presam_conformance::Scope::full() }
            }

            #[inline(never)]
            fn step(
                &mut self,
                case: &presam_conformance::Case<$real>,
            ) -> Result<presam_conformance::Answer<$real>, String> {
                presam_cuda::core_backend::run::<$real>(self, case)
            }
        }
    };
}
use backend;
