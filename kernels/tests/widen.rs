//! 16-bit floats are read as the `half` crate reads them.

use presam_kernels::widen;

#[test]
fn every_one_of_65536_patterns_is_what_the_half_crate_says() {
    for bits in 0..=u16::MAX {
        let (ours, theirs) = (widen::bf16(bits), half::bf16::from_bits(bits).to_f32());
        assert!(ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan());
        let (ours, theirs) = (widen::f16(bits), half::f16::from_bits(bits).to_f32());
        assert!(ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan());
    }
}
