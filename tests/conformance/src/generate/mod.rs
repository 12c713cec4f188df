//! Strategies: numbers, rules with their settings, and whole cases, all of which shrink.
//!
//! Every number is exact in the scalar type, and simple where it can be (sixteenths), so the smallest failing case can
//! be read.

mod cases;
mod drawn;
mod hostile;
mod numbers;
mod sequences;
mod settings;
mod wide;

pub use cases::{CHUNK, Shape, at_first_zero, at_rest, cases, tame_input};
pub use hostile::{hostile, hostile_cases};
pub use numbers::{BOUNDARIES, special, tame};
pub use sequences::{Sequence, segment_lists, sequences};
pub use settings::{base, length_rule, rule};
