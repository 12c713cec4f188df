//! One fault for each law of the conformance suite, for a right step to be spoilt with: the table that says which law
//! sees it, and which others may.

mod fault;
mod finite;
mod spoils;
mod table;

pub use fault::{Claims, Fault, Faulted, Past, Spoil};
pub use table::faults;
