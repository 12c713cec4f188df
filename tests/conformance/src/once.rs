//! [`Once`]: what is generic over the number type and large, compiled in this crate for `f32` and `f64`, and not
//! again in every crate that asks a backend.

use crate::backend::{Backend, Scope};
use crate::case::Case;
use crate::catalogue::{Diagnosis, Questions};
use crate::generate::Shape;
use crate::laws::Law;
use crate::report::{Failure, Report};
use crate::runner::{Config, Trial};
use crate::{catalogue, generate, laws, runner};
use presam_oracle::Rule;
use proptest::strategy::BoxedStrategy;

/// The functions of the same names, for one number type.
#[doc(hidden)]
pub trait Once: Sized {
    fn laws() -> Vec<Law<Self>>;
    fn cases(scope: &Scope, rules: &[Rule], shape: Shape) -> BoxedStrategy<Case<Self>>;
    fn run(trial: &Trial<Self>, backend: &mut dyn Backend<Self>) -> Result<Report, Box<Failure>>;
    fn draw(
        scope: &Scope,
        rules: &[Rule],
        shape: Shape,
        config: Config,
    ) -> Result<Vec<Case<Self>>, String>;
    fn questions(scope: &Scope, config: Config) -> Result<Questions<Self>, String>;
    fn diagnose(
        backend: &mut dyn Backend<Self>,
        questions: &Questions<Self>,
        subtracts: bool,
    ) -> Diagnosis;
    fn off_at_rest(backend: &mut dyn Backend<Self>, config: Config) -> Result<u64, String>;
}

macro_rules! once {
    ($($number:ty),+) => {$(
        impl Once for $number {
            fn laws() -> Vec<Law<Self>> {
                laws::listed()
            }

            fn cases(scope: &Scope, rules: &[Rule], shape: Shape) -> BoxedStrategy<Case<Self>> {
                generate::strategy(scope, rules, shape)
            }

            fn run(
                trial: &Trial<Self>,
                backend: &mut dyn Backend<Self>,
            ) -> Result<Report, Box<Failure>> {
                runner::run(trial, backend)
            }

            fn draw(
                scope: &Scope,
                rules: &[Rule],
                shape: Shape,
                config: Config,
            ) -> Result<Vec<Case<Self>>, String> {
                runner::drawn(scope, rules, shape, config)
            }

            fn questions(scope: &Scope, config: Config) -> Result<Questions<Self>, String> {
                catalogue::questions(scope, config)
            }

            fn diagnose(
                backend: &mut dyn Backend<Self>,
                questions: &Questions<Self>,
                subtracts: bool,
            ) -> Diagnosis {
                catalogue::diagnosed(backend, questions, subtracts)
            }

            fn off_at_rest(backend: &mut dyn Backend<Self>, config: Config) -> Result<u64, String> {
                catalogue::off(backend, config)
            }
        }
    )+};
}

once!(f32, f64);
