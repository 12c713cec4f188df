//! Core and devices as backends of the conformance suite: [`Phases`], [`Sessions`], [`Threads`] around either,
//! [`Devices`]; and what any other backend over core's types needs to translate a [`Case`].
//!
//! Each is `Backend<f32>` and `Backend<f64>`, written for the two types and not generic, so that the
//! loops of every rule are compiled once, here, and not again wherever it is asked.

mod device;
mod phases;
pub mod planes;
mod session;
mod settings;
mod threads;

pub use device::Devices;
pub use phases::Phases;
pub use session::Sessions;
pub use settings::{
    adamw, base_state, group, has_mean, keys, length_rule, oracle_state, outcome, rule_state, sgd,
    sgd_momentum,
};
pub use threads::Threads;

use presam::{Configure, Error, Real, Variant, for_each_variant};
use presam_conformance::{Answer, Case, Rule, Scalar};

/// A step for any variant.
pub trait Job<R: Real> {
    /// One step of the case by this variant.
    ///
    /// # Errors
    /// What core refuses.
    fn run<V, const M: usize, const I: usize>(
        &self,
        case: &Case<R>,
        variant: V,
    ) -> Result<Answer<R>, Error>
    where
        V: Variant<R, M, I>;
}

/// The variant with the rule's settings.
///
/// # Errors
/// A setting that core refuses.
pub fn configured<V: Configure>(rule: Rule) -> Result<V, Error> {
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
///
/// # Errors
/// What core refuses, in its words.
pub fn run<R: Real + Scalar>(job: &impl Job<R>, case: &Case<R>) -> Result<Answer<R>, String> {
    for_each_variant!(run_variant R, job, case;)
}

/// `Backend<f32>` and `Backend<f64>` for a [`Job`].
macro_rules! backend {
    ($Job:ident, $bases:expr) => {
        $crate::backend!($Job, $bases, f32);
        $crate::backend!($Job, $bases, f64);
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
                crate::run::<$real>(self, case)
            }
        }
    };
}
pub(crate) use backend;
