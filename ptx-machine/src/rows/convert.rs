//! `cvt`: any number type to any other, with the rounding that is written.

use super::lane::Lane;
use super::map1;
use super::round::{BFLOAT, DOUBLE, Exact, Format, HALF, SINGLE, round};
use crate::code::{Conversion, Map1, Rounding};
use crate::syntax::Type;

/// A number between two types.
#[derive(Clone, Copy)]
enum Number {
    Integer(i128),
    Float(Exact),
    Infinite { negative: bool },
    Nan,
}

impl Conversion {
    /// The common conversions over whole rows.
    pub fn fast(&self) -> Option<Map1> {
        if self.saturate || self.integral || self.relu {
            return None;
        }
        let nearest = self.rounding == Rounding::Nearest;
        Some(match (self.from, self.to) {
            (Type::F32, Type::F64) => map1!(f32, |a| f64::from(a)),
            (Type::F64, Type::F32) if nearest => map1!(f64, |a| a as f32),
            (Type::U32, Type::F32) if nearest => map1!(u32, |a| a as f32),
            (Type::S32, Type::F32) if nearest => map1!(i32, |a| a as f32),
            (Type::U32 | Type::B32, Type::U64 | Type::S64) => map1!(u32, |a| u64::from(a)),
            (Type::S32, Type::U64 | Type::S64) => map1!(i32, |a| i64::from(a)),
            (Type::U64 | Type::S64, Type::U32 | Type::S32) => map1!(u64, |a| a as u32),
            (Type::U16, Type::U32 | Type::S32) => map1!(u16, |a| u32::from(a)),
            (Type::U32 | Type::S32, Type::U16 | Type::S16) => map1!(u32, |a| a as u16),
            _ => return None,
        })
    }

    /// One lane, any conversion. `width` of the result's register is the caller's.
    pub fn lane(&self, bits: u64) -> u64 {
        let number = if self.integral {
            self.to_integral(read(self.from, bits))
        } else {
            read(self.from, bits)
        };
        if self.to.is_float() { self.write_float(number) } else { self.write_integer(number) }
    }

    fn write_integer(&self, number: Number) -> u64 {
        let (low, high) = limits(self.to);
        let from_float = self.from.is_float();
        let value = match number {
            Number::Integer(value) if !self.saturate => value,
            Number::Integer(value) => value.clamp(low, high),
            Number::Float(value) => integral(value, self.rounding).clamp(low, high),
            Number::Infinite { negative } => {
                if negative {
                    low
                } else {
                    high
                }
            }
            Number::Nan => 0,
        };
        debug_assert!(!from_float || (low..=high).contains(&value));
        let bits = self.to.bits();
        // A narrow signed result is sign-extended to its register, which the caller cuts to width.
        let value = if bits < 64 && self.to.is_signed() {
            value << (128 - bits) >> (128 - bits)
        } else {
            value
        };
        if self.to.is_signed() || bits == 64 {
            value as u64
        } else {
            value as u64 & ((1 << bits) - 1)
        }
    }

    fn write_float(&self, number: Number) -> u64 {
        let format = format(self.to);
        let infinite = ((1_u64 << (exponent_bits(format))) - 1) << (format.precision - 1);
        let sign =
            |negative: bool| u64::from(negative) << (format.precision - 1 + exponent_bits(format));
        let one = (1_u64 << (exponent_bits(format) - 1)).wrapping_sub(1) << (format.precision - 1);
        let bits = match number {
            Number::Nan if self.saturate => 0,
            Number::Nan => sign(true) - 1,
            Number::Infinite { negative } => sign(negative) | infinite,
            Number::Float(exact) => round(exact, format, self.rounding),
            Number::Integer(value) => {
                let significand = u64::try_from(value.unsigned_abs()).unwrap_or(u64::MAX);
                round(
                    Exact { negative: value < 0, significand, exponent: 0 },
                    format,
                    self.rounding,
                )
            }
        };
        let negative = bits & sign(true) != 0;
        if self.saturate {
            // To [0, 1]; -0 is +0.
            return if negative { 0 } else { bits.min(one) };
        }
        if self.relu && negative { 0 } else { bits }
    }

    fn to_integral(self, number: Number) -> Number {
        match number {
            Number::Float(value) if value.exponent < 0 => {
                let whole = integral(value, self.rounding);
                let significand = u64::try_from(whole.unsigned_abs()).unwrap_or(u64::MAX);
                Number::Float(Exact { negative: value.negative, significand, exponent: 0 })
            }
            other => other,
        }
    }
}

/// The nearest integer in a direction; far outside of every integer type where it does not fit.
fn integral(value: Exact, rounding: Rounding) -> i128 {
    let wide = i128::from(value.significand);
    let magnitude = if value.exponent >= 0 {
        if wide == 0 {
            0
        } else if value.exponent > 62 {
            1 << 126
        } else {
            wide << value.exponent
        }
    } else {
        let shift = value.exponent.unsigned_abs().min(100);
        let (kept, rest, half) = (wide >> shift, wide & ((1 << shift) - 1), 1_i128 << (shift - 1));
        let up = match rounding {
            Rounding::Nearest => rest > half || rest == half && kept & 1 == 1,
            Rounding::Zero => false,
            Rounding::Down => rest > 0 && value.negative,
            Rounding::Up => rest > 0 && !value.negative,
        };
        kept + i128::from(up)
    };
    if value.negative { -magnitude } else { magnitude }
}

fn limits(kind: Type) -> (i128, i128) {
    let bits = kind.bits();
    if kind.is_signed() {
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    } else {
        (0, (1 << bits) - 1)
    }
}

fn format(kind: Type) -> Format {
    match kind {
        Type::F16 | Type::F16x2 => HALF,
        Type::Bf16 | Type::Bf16x2 => BFLOAT,
        Type::F64 => DOUBLE,
        _ => SINGLE,
    }
}

fn exponent_bits(format: Format) -> i32 {
    33 - format.largest_exponent.leading_zeros().cast_signed()
}

fn read(kind: Type, bits: u64) -> Number {
    if !kind.is_float() {
        return Number::Integer(read_integer(kind, bits));
    }
    let format = format(kind);
    let (fraction_bits, exponent_bits) = (format.precision - 1, exponent_bits(format));
    let fraction = bits & ((1 << fraction_bits) - 1);
    let biased = bits >> fraction_bits & ((1 << exponent_bits) - 1);
    let negative = bits >> (fraction_bits + exponent_bits) & 1 == 1;
    if biased == (1 << exponent_bits) - 1 {
        return if fraction == 0 { Number::Infinite { negative } } else { Number::Nan };
    }
    let significand = if biased == 0 { fraction } else { fraction | 1 << fraction_bits };
    let exponent = biased.max(1) as i32 - format.largest_exponent - fraction_bits;
    Number::Float(Exact { negative, significand, exponent })
}

fn read_integer(kind: Type, bits: u64) -> i128 {
    match kind {
        Type::U8 | Type::B8 => u8::read(bits).into(),
        Type::U16 | Type::B16 => u16::read(bits).into(),
        Type::U32 | Type::B32 => u32::read(bits).into(),
        Type::S8 => i8::read(bits).into(),
        Type::S16 => i16::read(bits).into(),
        Type::S32 => i32::read(bits).into(),
        Type::S64 => i64::read(bits).into(),
        _ => bits.into(),
    }
}
