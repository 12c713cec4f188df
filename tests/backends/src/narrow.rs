//! Numbers rounded to a 16-bit scalar, to the nearest and at a tie to the even one.

use presam_cuda::Scalar;

/// The bits of a number in its scalar.
pub(crate) fn bits(scalar: Scalar, value: f32) -> u32 {
    let sign = value.to_bits() >> 16 & 0x8000;
    match scalar {
        Scalar::F32 => value.to_bits(),
        Scalar::Bf16 if value.is_nan() => sign | 0x7fc0,
        Scalar::Bf16 => rounded(scalar, value).to_bits() >> 16,
        Scalar::F16 if value.is_nan() => sign | 0x7e00,
        Scalar::F16 => sign | f16_magnitude(rounded(scalar, value).abs()),
    }
}

/// The number of the scalar that is nearest to `value`, as an `f32`.
pub(crate) fn rounded(scalar: Scalar, value: f32) -> f32 {
    match scalar {
        Scalar::Bf16 if !value.is_nan() => {
            // Half a unit of the upper half, less one bit if that half is even already.
            let bits = value.to_bits();
            f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
        }
        Scalar::F16 if value.is_finite() => {
            // Ten bits of fraction, and steps of 2^-24 below 2^-14. The sum with a number whose last bit
            // is worth one step rounds to steps; the difference is exact.
            let exponent = (value.to_bits() >> 23 & 0xff).max(127 - 14);
            let ruler = f32::from_bits((exponent + 13).min(254) << 23);
            let magnitude = (value.abs() + ruler) - ruler;
            let overflow = magnitude >= 65_536.0;
            if overflow { f32::INFINITY } else { magnitude }.copysign(value)
        }
        Scalar::F32 | Scalar::Bf16 | Scalar::F16 => value,
    }
}

/// The number of these bits, of a 16-bit scalar.
pub(crate) fn wide(scalar: Scalar, bits: u16) -> f32 {
    let (exponent, fraction) = (bits >> 10 & 31, f32::from(bits & 1023));
    let magnitude = match exponent {
        _ if scalar == Scalar::Bf16 => return f32::from_bits(u32::from(bits) << 16),
        0 => fraction / 16_777_216.0,
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * f32::from_bits((u32::from(exponent) + 127 - 25) << 23),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// The bits of a number that binary16 has.
fn f16_magnitude(value: f32) -> u32 {
    const SMALLEST_NORMAL: f32 = 1.0 / 16_384.0;
    const STEPS: f32 = 16_777_216.0;
    if value < SMALLEST_NORMAL {
        (value * STEPS) as u32
    } else if value.is_infinite() {
        0x7c00
    } else {
        (value.to_bits() >> 13) - ((127 - 15) << 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every 16-bit number, the middle to its neighbour, and a bit on either side of both.
    #[test]
    fn all_numbers_ties_and_their_neighbours_round_as_the_half_crate_rounds() {
        for bits16 in 0..=u16::MAX {
            for exact in
                [half::f16::from_bits(bits16).to_f32(), half::bf16::from_bits(bits16).to_f32()]
            {
                for middle in [0, 1 << 12, 1 << 15] {
                    for near in -1_i32..=1 {
                        agrees(f32::from_bits(
                            exact.to_bits().wrapping_add(middle).wrapping_add_signed(near),
                        ));
                    }
                }
            }
        }
    }

    fn agrees(value: f32) {
        let f16 = half::f16::from_f32(value);
        let bf16 = half::bf16::from_f32(value);
        for (scalar, theirs, wide) in [
            (Scalar::F16, f16.to_bits(), f16.to_f32()),
            (Scalar::Bf16, bf16.to_bits(), bf16.to_f32()),
        ] {
            if value.is_nan() {
                assert!(rounded(scalar, value).is_nan());
            } else {
                assert_eq!(super::wide(scalar, theirs).to_bits(), wide.to_bits());
                assert_eq!(bits(scalar, value), u32::from(theirs), "{scalar:?} of {value:e}");
                assert_eq!(
                    rounded(scalar, value).to_bits(),
                    wide.to_bits(),
                    "{scalar:?} of {value:e}"
                );
            }
        }
    }
}
