#![doc = include_str!("../README.md")]

pub mod backend;
pub mod both;
pub mod case;
pub mod catalogue;
pub mod compare;
pub mod expected;
pub mod generate;
pub mod laws;
#[doc(hidden)]
pub mod once;
pub mod report;
pub mod runner;
pub mod scalar;
pub mod simple;
pub mod simplify;
pub mod tolerance;
pub mod worst;

pub use backend::{Backend, Nearness, Only, Scope, Width};
pub use both::Both;
pub use case::{Answer, Case, Norm, Options, Segment, SegmentAnswer};
pub use catalogue::{Convention, Diagnosis, catalogue, diagnose, diagnose_each};
pub use expected::Expected;
pub use laws::{Checked, Law};
pub use presam_oracle::{Base, BoundedVector, Claim, LengthRule, Outcome, Rule, RuleState};
pub use report::{Failure, Mismatch, Report, Verdict};
pub use runner::{Config, Trial, check, check_law, draw};
pub use scalar::Scalar;
pub use simple::function;
pub use worst::{Phase, Worst};
