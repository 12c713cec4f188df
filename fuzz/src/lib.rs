//! What the fuzz targets share: numbers and cases drawn from a fuzzer's bytes, and a measure of memory.
//!
//! A target draws until its bytes are used up; from then on it draws zeros, so that every input is one.

pub mod case;
pub mod contract;
pub mod draw;
pub mod memory;
pub mod model;

/// Bit for bit, all NaNs being one.
pub fn same<R: presam_conformance::Scalar>(a: &[R], b: &[R]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(*b))
}
