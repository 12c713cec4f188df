//! Strategies: numbers, rules with their settings, and whole cases, all of which shrink.
//!
//! Every number is exact in the scalar type, and simple where it can be (sixteenths), so the smallest failing case can
//! be read.

mod cases;
mod numbers;
mod settings;

pub use cases::{CHUNK, Shape, cases};
pub use numbers::{BOUNDARIES, special, tame};
pub use settings::{base, length_rule, rule};
