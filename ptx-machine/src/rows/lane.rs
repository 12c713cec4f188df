//! A register's 64 bits as a value of a Rust type, and back with the upper bits zero.

/// A value that a lane holds. A NaN is written in the one form that NVIDIA's arithmetic gives.
pub(super) trait Lane: Copy {
    fn read(bits: u64) -> Self;
    fn write(self) -> u64;
}

/// The NaN of f32 results.
const NAN_SINGLE: u64 = 0x7fff_ffff;
/// The NaN of f64 results. NVIDIA keeps an operand's payload where it can; a fixed one is comparable.
const NAN_DOUBLE: u64 = 0x7fff_ffff_ffff_ffff;

// A NaN is told by its bits: rustc 1.95 (LLVM 22.1) takes `is_nan` of the square root of a negative f64 for false
// where the result is compared with a number, as in `if r.is_nan() { N } else { r.to_bits() } == N`.
const INFINITE_SINGLE: u32 = 0x7f80_0000;
const INFINITE_DOUBLE: u64 = 0x7ff0_0000_0000_0000;

impl Lane for f32 {
    fn read(bits: u64) -> Self {
        Self::from_bits(bits as u32)
    }
    fn write(self) -> u64 {
        let bits = self.to_bits();
        if bits & (u32::MAX >> 1) > INFINITE_SINGLE { NAN_SINGLE } else { bits.into() }
    }
}

impl Lane for f64 {
    fn read(bits: u64) -> Self {
        Self::from_bits(bits)
    }
    fn write(self) -> u64 {
        let bits = self.to_bits();
        if bits & (u64::MAX >> 1) > INFINITE_DOUBLE { NAN_DOUBLE } else { bits }
    }
}

macro_rules! integer_lane {
    ($($t:ty as $unsigned:ty),*) => {$(
        impl Lane for $t {
            fn read(bits: u64) -> Self {
                bits as $t
            }
            fn write(self) -> u64 {
                (self as $unsigned).into()
            }
        }
    )*};
}

integer_lane!(
    u8 as u8, u16 as u16, u32 as u32, u64 as u64, i8 as u8, i16 as u16, i32 as u32, i64 as u64
);
