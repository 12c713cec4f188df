//! [`Scalar`]: `f32` or `f64`, as the suite sees them.

use presam_oracle::Format;
use std::fmt::Debug;

/// The number type of a backend.
pub trait Scalar: Copy + Debug + Default + PartialEq + 'static {
    /// Its name.
    const NAME: &'static str;
    /// What the oracle must know of it.
    const FORMAT: Format;
    /// The exponent of the unit of a range class: 96 (`f64`: 768).
    const CLASS_EXPONENT: i32;

    /// Rounds to this type.
    fn from_f64(value: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// The bits, zero-extended.
    fn bits(self) -> u64;
    /// The number of these bits (the low 32 for `f32`).
    fn from_bits(bits: u64) -> Self;
    /// The bits as they are printed.
    fn hex(self) -> String {
        format!("{:#0width$x}", self.bits(), width = 2 + 2 * size_of::<Self>())
    }
    /// The same bits, all NaNs being one.
    fn same(self, other: Self) -> bool {
        self.bits() == other.bits() || (self.to_f64().is_nan() && other.to_f64().is_nan())
    }
    /// A setting as this type holds it.
    fn held(value: f64) -> f64 {
        Self::from_f64(value).to_f64()
    }
}

impl Scalar for f32 {
    const NAME: &'static str = "f32";
    const FORMAT: Format = Format::F32;
    const CLASS_EXPONENT: i32 = 96;

    #[allow(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }

    #[allow(clippy::cast_possible_truncation, reason = "the low half is the number")]
    fn from_bits(bits: u64) -> Self {
        f32::from_bits(bits as u32)
    }
}

impl Scalar for f64 {
    const NAME: &'static str = "f64";
    const FORMAT: Format = Format::F64;
    const CLASS_EXPONENT: i32 = 768;

    fn from_f64(value: f64) -> Self {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn bits(self) -> u64 {
        self.to_bits()
    }

    fn from_bits(bits: u64) -> Self {
        f64::from_bits(bits)
    }
}
