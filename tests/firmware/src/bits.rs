//! [`Bits`]: SHA-256 over the bits of numbers.

use crate::sha256::Sha256;
use core::fmt;
use presam::Real;

/// SHA-256 over the bits of numbers, least significant byte first; a NaN counts as one canonical NaN.
#[derive(Clone)]
pub struct Bits(Sha256);

impl Bits {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self(Sha256::new())
    }

    /// Adds numbers.
    pub fn add<R: Real>(&mut self, values: &[R]) {
        for &value in values {
            let is_nan = value.partial_cmp(&value).is_none();
            let value = if is_nan { R::from_f64(f64::NAN) } else { value };
            let bytes = value.bits().to_le_bytes();
            self.0.update(bytes.get(..size_of::<R>()).unwrap_or(&bytes));
        }
    }

    /// Of these numbers alone.
    pub fn of<R: Real>(values: &[R]) -> Self {
        let mut bits = Self::new();
        bits.add(values);
        bits
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.clone().finish().iter().try_for_each(|word| write!(f, "{word:08x}"))
    }
}
