//! Equality of numbers.

use presam_conformance::Scalar;

/// Bit for bit, all NaNs being one.
pub fn same<R: Scalar>(a: &[R], b: &[R]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(*b))
}
