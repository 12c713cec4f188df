//! Numbers and lengths.

use crate::scalar::Scalar;
use proptest::prelude::*;

/// The smallest magnitude of a tame number that is not zero.
const SMALLEST: f64 = 1.0 / 1024.0;

/// Lengths around which loops go wrong: lanes of vectors, rows, lanes and chunks of the norm.
pub const BOUNDARIES: &[usize] = &[
    0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257,
    1920, 2047, 2048, 2049, 2111, 2112, 2113, 2175, 2176, 2177, 4095, 4096, 4097, 6200,
];

/// `value`, or zero below [`SMALLEST`]: squares and products of tame numbers stay normal in `f32`.
fn cleaned<R: Scalar>(value: f64) -> R {
    R::from_f64(if value.abs() < SMALLEST { 0.0 } else { value })
}

/// Zero, or a magnitude from 2^-10 to 4: sixteenths, and numbers with a full mantissa.
pub fn tame<R: Scalar>() -> BoxedStrategy<R> {
    let full = 1_i64 << 52;
    prop_oneof![
        3 => (-64_i32..=64).prop_map(|n| R::from_f64(f64::from(n) / 16.0)),
        4 => (-full..=full).prop_map(|n| cleaned(n as f64 / (1_u64 << 50) as f64)),
    ]
    .boxed()
}

/// What a gradient can be when training goes wrong and is still a number: zeros of both signs,
/// subnormals, numbers whose squares leave the range.
#[must_use]
pub fn special<R: Scalar>() -> [R; 10] {
    let tiny = R::FORMAT.smallest_normal;
    let huge = 2_f64.powi(R::CLASS_EXPONENT * 7 / 10);
    [0.0, -0.0, tiny, tiny / 4.0, huge, -huge, 1.0 / huge, -1.0 / huge, 1e20, 1e-30]
        .map(R::from_f64)
}

/// A tame number from a seed: for planes too long to shrink element by element.
pub(super) struct Seeded(pub u64);

impl Seeded {
    /// splitmix64
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `count`.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.bits() >> 11) % count.max(1) as u64) as usize
    }

    /// Uniform in (-2, 2), one in sixteen zero.
    pub fn tame<R: Scalar>(&mut self) -> R {
        let bits = self.bits();
        if bits & 15 == 0 {
            return R::from_f64(0.0);
        }
        cleaned((bits >> 11) as f64 / (1_u64 << 51) as f64 - 2.0)
    }
}
