//! A number with any exponent, rounded once to a binary format in any of the four directions.

use crate::code::Rounding;

/// A binary interchange format.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    /// Bits of the significand, the implied one included.
    pub precision: i32,
    pub largest_exponent: i32,
}

pub(super) const HALF: Format = Format { precision: 11, largest_exponent: 15 };
pub(super) const BFLOAT: Format = Format { precision: 8, largest_exponent: 127 };
pub(super) const SINGLE: Format = Format { precision: 24, largest_exponent: 127 };
pub(super) const DOUBLE: Format = Format { precision: 53, largest_exponent: 1023 };

/// significand * 2^exponent, with a sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exact {
    pub negative: bool,
    pub significand: u64,
    pub exponent: i32,
}

/// The bits of the rounded number.
pub(super) fn round(value: Exact, format: Format, rounding: Rounding) -> u64 {
    let fraction_bits = format.precision - 1;
    let exponent_bits = 32 - format.largest_exponent.leading_zeros().cast_signed() + 1;
    let sign = u64::from(value.negative) << (fraction_bits + exponent_bits);
    if value.significand == 0 {
        return sign;
    }
    let top = 63 - value.significand.leading_zeros().cast_signed() + value.exponent;
    let smallest = 1 - format.largest_exponent;
    // The weight of the last place: a normal number's, or that of all subnormal ones.
    let place = top.max(smallest) - fraction_bits;
    let kept = rounded_shift(value, place - value.exponent, rounding);
    // A carry out of the significand makes the exponent one larger by itself: fields lie side by side.
    let biased = u64::try_from(place + fraction_bits + format.largest_exponent - 1).unwrap_or(0);
    let magnitude = (biased << fraction_bits) + kept;
    let infinite = ((1 << exponent_bits) - 1_u64) << fraction_bits;
    if magnitude < infinite {
        return sign | magnitude;
    }
    let away = match rounding {
        Rounding::Nearest => true,
        Rounding::Zero => false,
        Rounding::Down => value.negative,
        Rounding::Up => !value.negative,
    };
    sign | if away { infinite } else { infinite - 1 }
}

/// significand / 2^shift as an integer, rounded.
fn rounded_shift(value: Exact, shift: i32, rounding: Rounding) -> u64 {
    let wide = u128::from(value.significand);
    if shift <= 0 {
        return (wide << shift.unsigned_abs().min(64)) as u64;
    }
    let shift = shift.unsigned_abs().min(100);
    let (kept, rest, half) = (wide >> shift, wide & ((1 << shift) - 1), 1_u128 << (shift - 1));
    let up = match rounding {
        Rounding::Nearest => rest > half || rest == half && kept & 1 == 1,
        Rounding::Zero => false,
        Rounding::Down => rest > 0 && value.negative,
        Rounding::Up => rest > 0 && !value.negative,
    };
    kept as u64 + u64::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(value: f64) -> Exact {
        let bits = value.to_bits();
        let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
        let significand = if exponent == 0 { fraction } else { fraction | 1 << 52 };
        Exact { negative: value.is_sign_negative(), significand, exponent: exponent.max(1) - 1075 }
    }

    #[test]
    fn agrees_with_the_language_in_nearest_f32_and_f64() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..200_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits((state >> 12) ^ state);
            if value.is_finite() {
                assert_eq!(
                    round(exact(value), SINGLE, Rounding::Nearest),
                    u64::from((value as f32).to_bits())
                );
                assert_eq!(round(exact(value), DOUBLE, Rounding::Zero), value.to_bits());
            }
            let near = f64::from_bits((state >> 12) | (880 + (state & 255)) << 52);
            assert_eq!(
                round(exact(near), SINGLE, Rounding::Nearest),
                u64::from((near as f32).to_bits())
            );
            let integer = Exact { negative: false, significand: state, exponent: 0 };
            assert_eq!(
                round(integer, SINGLE, Rounding::Nearest),
                u64::from((state as f32).to_bits())
            );
            assert_eq!(round(integer, DOUBLE, Rounding::Nearest), (state as f64).to_bits());
        }
    }

    #[test]
    fn directed_roundings_bracket() {
        for value in [0.1, 1e-7, 65519.9, 65520.0, 1e-9, 3.0e38, 5e-324] {
            let (down, up) = (
                round(exact(value), HALF, Rounding::Down),
                round(exact(value), HALF, Rounding::Up),
            );
            assert_eq!(up, down + 1, "{value}");
            assert_eq!(round(exact(-value), HALF, Rounding::Up), down | 0x8000, "{value}");
        }
        assert_eq!(round(exact(65519.9), HALF, Rounding::Nearest), 0x7bff);
        assert_eq!(round(exact(65520.0), HALF, Rounding::Nearest), 0x7c00);
        assert_eq!(round(exact(1.0), BFLOAT, Rounding::Nearest), 0x3f80);
        assert_eq!(round(exact(1.0 + 1.0 / 256.0), BFLOAT, Rounding::Nearest), 0x3f80);
        assert_eq!(round(exact(1.0 + 3.0 / 256.0), BFLOAT, Rounding::Nearest), 0x3f82);
    }
}
