//! What the fuzz targets share: numbers and cases drawn from a fuzzer's bytes, and a measure of memory.
//!
//! A target draws until its bytes are used up; from then on it draws zeros, so that every input is one.

pub mod case;
pub mod contract;
pub mod draw;
pub mod memory;
pub mod model;
pub mod same;

pub use same::same;
