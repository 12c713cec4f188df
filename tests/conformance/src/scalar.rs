//! [`Scalar`]: `f32` or `f64`, as the suite sees them.

use presam_oracle::Format;
use std::fmt::Debug;

/// The number type of a backend: `f32` or `f64`, no other.
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

/// Numbers of this type from one to the other; a NaN is as far as can be from any number.
#[must_use]
pub fn ulps<R: Scalar>(a: R, b: R) -> u64 {
    match (a.to_f64().is_nan(), b.to_f64().is_nan()) {
        (true, true) => return 0,
        (false, false) => {}
        _ => return u64::MAX,
    }
    let ordered = |x: R| {
        let sign = 1 << (8 * size_of::<R>() - 1);
        let magnitude = i128::from(x.bits() & !sign);
        if x.bits() & sign == 0 { magnitude } else { -magnitude }
    };
    u64::try_from((ordered(a) - ordered(b)).unsigned_abs()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_apart_across_zero_too() {
        let tiny = f32::from_bits(1);
        assert_eq!((ulps(1.0_f32, 1.0), ulps(0.0_f32, -0.0)), (0, 0));
        assert_eq!((ulps(1.0_f32, 1.0 + f32::EPSILON), ulps(tiny, -tiny)), (1, 2));
        assert_eq!(ulps(f64::MAX, f64::INFINITY), 1);
        assert_eq!((ulps(f64::NAN, 0.0), ulps(f64::NAN, -f64::NAN)), (u64::MAX, 0));
        assert_eq!(ulps(f64::INFINITY, f64::NEG_INFINITY), 2 * f64::INFINITY.to_bits());
    }
}
