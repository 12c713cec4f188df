//! 16-bit floats as `f32`, exactly.

/// bfloat16 is the upper half of an `f32`.
#[inline(always)]
pub const fn bf16(bits: u16) -> f32 {
    f32::from_bits((bits as u32) << 16)
}

/// IEEE 754 binary16. Exponent and fraction moved to an `f32`'s place are 2^112 too small, subnormal
/// ones included; the product with 2^112 is exact.
#[inline(always)]
pub fn f16(bits: u16) -> f32 {
    const TWO_TO_112: f32 = f32::from_bits((127 + 112) << 23);
    let (sign, rest) = (u32::from(bits & 0x8000) << 16, u32::from(bits & 0x7fff));
    let finite = (f32::from_bits(rest << 13) * TWO_TO_112).to_bits();
    // Infinity and NaN keep their fraction.
    let magnitude = if rest >= 0x7c00 { rest << 13 | 0x7f80_0000 } else { finite };
    f32::from_bits(sign | magnitude)
}
