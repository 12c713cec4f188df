//! core as backends of the conformance suite.
//!
//! Each is `Backend<f32>` and `Backend<f64>`, written for the two types and not generic, so that the
//! loops of every rule are compiled once, here, and not again in every test.

mod core_types;
mod device;
mod phases;
mod session;
mod threads;

pub use core_types::{adamw, base_state, group, keys, length_rule, rule_state, sgd, sgd_momentum};
pub use device::Devices;
pub use phases::Phases;
pub use session::Sessions;
pub use threads::Threads;

use presam::{Configure, Error, Real, Variant, for_each_variant};
use presam_conformance::{Answer, Case, Rule, Scalar};

/// A step for any variant.
pub(crate) trait Job<R: Real> {
    fn run<V, const M: usize, const I: usize>(
        &self,
        case: &Case<R>,
        variant: V,
    ) -> Result<Answer<R>, Error>
    where
        V: Variant<R, M, I>;
}

/// The variant with the case's hyperparameters.
pub(crate) fn configured<V: Configure>(rule: Rule) -> Result<V, Error> {
    keys(rule).into_iter().try_fold(V::default(), |variant, (key, value)| variant.set(key, value))
}

macro_rules! run_variant {
    ($real:ident, $job:ident, $case:ident; $($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        match $case.rule.name() {
            $(name if name == presam::variants::$module::INFO.name => {
                let variant = configured::<presam::$Variant<$real>>($case.rule);
                let answer = variant.and_then(|variant| $job.run::<_, $m, $i>($case, variant));
                answer.map_err(|error| error.to_string())
            })*
            unknown => Err(format!("core has no rule {unknown}")),
        }
    };
}

/// Runs the job with the case's variant.
pub(crate) fn run<R: Real + Scalar>(
    job: &impl Job<R>,
    case: &Case<R>,
) -> Result<Answer<R>, String> {
    for_each_variant!(run_variant R, job, case;)
}

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
                $crate::backends::run::<$real>(self, case)
            }
        }
    };
}
use backend;
