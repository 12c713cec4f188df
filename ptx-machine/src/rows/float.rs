//! Floating point as IEEE 754 says, rounded to nearest even; `.approx` as the host's mathematics gives it.

use super::{map1, map2, map3, with_float};
use crate::code::{Map1, Map2, Map3, Row};
use crate::syntax::Type;

/// Bits, so that a NaN keeps its payload and a sign is only a sign.
const SIGN_SINGLE: u32 = 1 << 31;
const SIGN_DOUBLE: u64 = 1 << 63;

/// -0 is less than +0, as `min` and `max` order them. False for a NaN.
macro_rules! less {
    ($a:ident, $b:ident) => {
        $a < $b || ($a == $b && $a.is_sign_negative() && !$b.is_sign_negative())
    };
}

/// `abs neg sqrt rcp` and the approximations, by the base of the opcode.
pub(crate) fn float_map1(base: &str, kind: Type) -> Option<Map1> {
    match (base, kind) {
        ("abs", Type::F32) => Some(map1!(u32, |a| a & !SIGN_SINGLE)),
        ("abs", Type::F64) => Some(map1!(u64, |a| a & !SIGN_DOUBLE)),
        ("neg", Type::F32) => Some(map1!(u32, |a| a ^ SIGN_SINGLE)),
        ("neg", Type::F64) => Some(map1!(u64, |a| a ^ SIGN_DOUBLE)),
        ("sqrt", _) => with_float!(kind, T => map1!(T, |a| a.sqrt())),
        ("rcp", _) => with_float!(kind, T => map1!(T, |a| 1.0 / a)),
        ("rsqrt", _) => with_float!(kind, T => map1!(T, |a| 1.0 / a.sqrt())),
        ("ex2", Type::F32) => Some(map1!(f32, |a| a.exp2())),
        ("lg2", Type::F32) => Some(map1!(f32, |a| a.log2())),
        ("sin", Type::F32) => Some(map1!(f32, |a| a.sin())),
        ("cos", Type::F32) => Some(map1!(f32, |a| a.cos())),
        ("tanh", Type::F32) => Some(map1!(f32, |a| a.tanh())),
        _ => None,
    }
}

pub(crate) fn float_map2(base: &str, kind: Type) -> Option<Map2> {
    match base {
        "add" => with_float!(kind, T => map2!(T, T, |a, b| a + b)),
        "sub" => with_float!(kind, T => map2!(T, T, |a, b| a - b)),
        "mul" => with_float!(kind, T => map2!(T, T, |a, b| a * b)),
        "div" => with_float!(kind, T => map2!(T, T, |a, b| a / b)),
        "min" => {
            with_float!(kind, T => map2!(T, T, |a, b| if a.is_nan() || less!(b, a) { b } else { a }))
        }
        "max" => {
            with_float!(kind, T => map2!(T, T, |a, b| if a.is_nan() || less!(a, b) { b } else { a }))
        }
        "min.NaN" => {
            with_float!(kind, T => map2!(T, T, |a, b| if b.is_nan() || less!(b, a) { b } else { a }))
        }
        "max.NaN" => {
            with_float!(kind, T => map2!(T, T, |a, b| if b.is_nan() || less!(a, b) { b } else { a }))
        }
        "copysign" => match kind {
            Type::F32 => Some(map2!(u32, u32, |a, b| (a & SIGN_SINGLE) | (b & !SIGN_SINGLE))),
            Type::F64 => Some(map2!(u64, u64, |a, b| (a & SIGN_DOUBLE) | (b & !SIGN_DOUBLE))),
            _ => None,
        },
        _ => None,
    }
}

/// One rounding: `fma`, and `mad` which is the same since sm_20.
pub(crate) fn float_map3(base: &str, kind: Type) -> Option<Map3> {
    match base {
        "fma" | "mad" => with_float!(kind, T => map3!(T, T, T, |a, b, c| a.mul_add(b, c))),
        _ => None,
    }
}

/// `.ftz`: f32 subnormals become zeros of their sign.
pub(crate) fn flush_subnormals(row: &Row) -> Row {
    row.map(flush_subnormal)
}

pub(crate) fn flush_subnormal(bits: u64) -> u64 {
    let value = bits as u32;
    u64::from(if value & 0x7f80_0000 == 0 { value & SIGN_SINGLE } else { value })
}
