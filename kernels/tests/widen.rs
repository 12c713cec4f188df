//! 16-bit floats are read and rounded as the `half` crate does it.

use presam_kernels::{narrow, widen};

#[test]
fn every_one_of_65536_patterns_is_what_the_half_crate_says() {
    for bits in 0..=u16::MAX {
        let (ours, theirs) = (widen::bf16(bits), half::bf16::from_bits(bits).to_f32());
        assert!(ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan());
        let (ours, theirs) = (widen::f16(bits), half::f16::from_bits(bits).to_f32());
        assert!(ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan());
    }
}

/// Every 16-bit number of either kind and the middle to its neighbour, with the `f32` numbers on either side:
/// ties, subnormal numbers, infinities, what overflows, NaNs of every length.
#[test]
fn every_number_every_tie_and_their_neighbours_round_as_the_half_crate_rounds() {
    for bits in 0..=u16::MAX {
        for exact in [half::f16::from_bits(bits).to_f32(), half::bf16::from_bits(bits).to_f32()] {
            for middle in [0, 1 << 12, 1 << 15] {
                for near in [u32::MAX, 0, 1] {
                    agrees(exact.to_bits().wrapping_add(middle).wrapping_add(near));
                }
            }
        }
    }
    // Below the smallest subnormal number of binary16, where steps of 2^-24 end.
    for bits in [1, 0x3300_0000, 0x3300_0001, 0x337f_ffff, 0x3380_0000, 0x33c0_0000, 0x3880_0000] {
        agrees(bits);
        agrees(bits | 1 << 31);
    }
}

fn agrees(bits: u32) {
    let value = f32::from_bits(bits);
    let (bf16, f16) = (half::bf16::from_f32(value), half::f16::from_f32(value));
    if value.is_nan() {
        assert!(
            widen::bf16(narrow::bf16(value)).is_nan() && widen::f16(narrow::f16(value)).is_nan()
        );
    } else {
        assert_eq!(narrow::bf16(value), bf16.to_bits(), "{value:e}");
        assert_eq!(narrow::f16(value), f16.to_bits(), "{value:e}");
    }
}
