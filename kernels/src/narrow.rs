//! `f32` rounded to 16-bit floats: to the nearest, of two to the even one.

/// bfloat16: the upper half, rounded. A NaN stays one.
#[inline(always)]
pub const fn bf16(value: f32) -> u16 {
    let bits = value.to_bits();
    // Half a unit of the upper half, less one bit where that half is even already.
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    if value.is_nan() { 0x7fff } else { rounded as u16 }
}

/// IEEE 754 binary16; 65,520 and above are infinite. A NaN stays one.
#[inline(always)]
pub fn f16(value: f32) -> u16 {
    const SMALLEST_NORMAL: f32 = 1.0 / 16_384.0;
    const TWO_TO_23: f32 = 8_388_608.0;
    const TWO_TO_24: f32 = 16_777_216.0;
    let (sign, magnitude) = ((value.to_bits() >> 16) as u16 & 0x8000, value.abs());
    if value.is_nan() {
        return 0x7fff;
    }
    if magnitude < SMALLEST_NORMAL {
        // Steps of 2^-24; from 2^23 on an `f32` has whole numbers only, so the sum rounds to them.
        let steps = (magnitude * TWO_TO_24 + TWO_TO_23) - TWO_TO_23;
        return sign | steps as u16;
    }
    let bits = magnitude.to_bits();
    let rounded = (bits + 0x0fff + (bits >> 13 & 1) - ((127 - 15) << 23)) >> 13;
    sign | rounded.min(0x7c00) as u16
}
