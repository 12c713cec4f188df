//! Property tests for anyone's sharpness-aware minimisation (SAM) code.
//!
//! A [`Backend`] is code under test: handed a [`Case`] (everything one step reads), it returns an
//! [`Answer`] (everything one step writes). [`check`] generates cases, judges every answer by the
//! oracle and by the [laws](laws::all) within the backend's [`Scope`], and shrinks what fails to the
//! smallest case that still does.
//!
//! A SAM of one's own, with plain gradient descent behind it:
//!
//! ```
//! use presam_conformance::{Answer, Backend, Base, Case, Config, Rule, Scope, check};
//!
//! struct MySam;
//!
//! impl Backend<f64> for MySam {
//!     fn scope(&self) -> Scope {
//!         Scope::of(&[Rule::Sam], &["sgd"])
//!     }
//!
//!     fn step(&mut self, case: &Case<f64>) -> Result<Answer<f64>, String> {
//!         let Base::Sgd { learning_rate, weight_decay } = case.base else {
//!             return Err("only sgd".into());
//!         };
//!         let squares = case.segments.iter().flat_map(|s| &s.grads).map(|g| g * g);
//!         let norm = squares.sum::<f64>().sqrt() + case.norm_guard();
//!         let mut answer = Answer::unchanged(case);
//!         for (from, to) in case.segments.iter().zip(&mut answer.segments) {
//!             for i in 0..from.params.len() {
//!                 to.perturbed[i] = from.params[i] + from.options.rho * from.grads[i] / norm;
//!                 let d = from.perturbed_grads[i] + weight_decay * from.params[i];
//!                 to.params[i] = from.params[i] - learning_rate * d;
//!             }
//!         }
//!         Ok(answer)
//!     }
//! }
//!
//! let reports = check(&mut MySam, Config { cases: 64, seed: 1 }).map_err(|failure| failure.to_string())?;
//! assert!(reports.iter().any(|report| report.cases > 0));
//! # Ok::<(), String>(())
//! ```

pub mod backend;
pub mod case;
pub mod compare;
pub mod generate;
pub mod laws;
pub mod report;
pub mod runner;
pub mod scalar;
pub mod tolerance;

pub use backend::{Backend, Both, Only, Scope};
pub use case::{Answer, Case, Norm, Options, Segment, SegmentAnswer};
pub use compare::{Expected, Phase, Worst};
pub use laws::{Checked, Law};
pub use presam_oracle::{Base, LengthRule, Outcome, Rule, RuleState};
pub use report::{Failure, Mismatch, Report, Verdict};
pub use runner::{Config, check, check_law};
pub use scalar::Scalar;
