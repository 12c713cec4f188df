//! Every arithmetic instruction over hostile values, against the language's own arithmetic.

use crate::apply::{Bits, apply, check, doubles, integers, singles, triples};

/// A comparison whose outcome ends in `%0`.
macro_rules! holds {
    ($special:expr, $t:ty; $($text:literal |$a:ident, $b:ident| $body:expr;)*) => {
        check! { $special; $($text, (u32; $t, $t, u32) |$a, $b, _c| u32::from($body);)* }
    };
}

#[test]
fn singles_are_rounded_once() {
    check! { singles();
        "add.rn.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c| a + b;
        "add.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c| a + b;
        "sub.rn.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c| a - b;
        "mul.rn.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c| a * b;
        "div.rn.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c| a / b;
        "fma.rn.f32 %0, %1, %2, %3", (f32; f32, f32, f32) |a, b, c| a.mul_add(b, c);
        "sqrt.rn.f32 %0, %1", (f32; f32, f32, f32) |a, _b, _c| a.sqrt();
        "rcp.rn.f32 %0, %1", (f32; f32, f32, f32) |a, _b, _c| 1.0 / a;
        "abs.f32 %0, %1", (u32; u32, f32, f32) |a, _b, _c| a & 0x7fff_ffff;
        "neg.f32 %0, %1", (u32; u32, f32, f32) |a, _b, _c| a ^ 0x8000_0000;
        "copysign.f32 %0, %1, %2", (u32; u32, u32, f32) |a, b, _c| a & 0x8000_0000 | b & 0x7fff_ffff;
        "min.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c|
            if a == 0.0 && b == 0.0 { f32::from_bits(a.to_bits() | b.to_bits()) } else { a.min(b) };
        "max.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c|
            if a == 0.0 && b == 0.0 { f32::from_bits(a.to_bits() & b.to_bits()) } else { a.max(b) };
        "max.NaN.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c|
            if a.is_nan() || b.is_nan() { f32::NAN }
            else if a == 0.0 && b == 0.0 { f32::from_bits(a.to_bits() & b.to_bits()) } else { a.max(b) };
        "min.NaN.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c|
            if a.is_nan() || b.is_nan() { f32::NAN }
            else if a == 0.0 && b == 0.0 { f32::from_bits(a.to_bits() | b.to_bits()) } else { a.min(b) };
    }
}

#[test]
fn flushed_arithmetic_has_no_subnormals() {
    let flush = |v: f32| if v.is_subnormal() { 0.0_f32.copysign(v) } else { v };
    check! { singles();
        "mul.ftz.f32 %0, %1, %2", (f32; f32, f32, f32) |a, b, _c| flush(flush(a) * flush(b));
        "fma.rn.ftz.f32 %0, %1, %2, %3", (f32; f32, f32, f32) |a, b, c| flush(flush(a).mul_add(flush(b), flush(c)));
        "sqrt.rn.ftz.f32 %0, %1", (f32; f32, f32, f32) |a, _b, _c| flush(flush(a).sqrt());
    }
}

#[test]
fn doubles_are_rounded_once() {
    check! { doubles();
        "add.rn.f64 %0, %1, %2", (f64; f64, f64, f64) |a, b, _c| a + b;
        "sub.rn.f64 %0, %1, %2", (f64; f64, f64, f64) |a, b, _c| a - b;
        "mul.rn.f64 %0, %1, %2", (f64; f64, f64, f64) |a, b, _c| a * b;
        "div.rn.f64 %0, %1, %2", (f64; f64, f64, f64) |a, b, _c| a / b;
        "fma.rn.f64 %0, %1, %2, %3", (f64; f64, f64, f64) |a, b, c| a.mul_add(b, c);
        "sqrt.rn.f64 %0, %1", (f64; f64, f64, f64) |a, _b, _c| a.sqrt();
        "rcp.rn.f64 %0, %1", (f64; f64, f64, f64) |a, _b, _c| 1.0 / a;
        "neg.f64 %0, %1", (u64; u64, f64, f64) |a, _b, _c| a ^ 1 << 63;
        "abs.f64 %0, %1", (u64; u64, f64, f64) |a, _b, _c| a & !(1 << 63);
        "max.f64 %0, %1, %2", (f64; f64, f64, f64) |a, b, _c|
            if a == 0.0 && b == 0.0 { f64::from_bits(a.to_bits() & b.to_bits()) } else { a.max(b) };
    }
}

#[test]
fn integers_of_32_bits() {
    check! { integers();
        "add.u32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| a.wrapping_add(b);
        "sub.s32 %0, %1, %2", (i32; i32, i32, i32) |a, b, _c| a.wrapping_sub(b);
        "add.sat.s32 %0, %1, %2", (i32; i32, i32, i32) |a, b, _c| a.saturating_add(b);
        "mul.lo.s32 %0, %1, %2", (i32; i32, i32, i32) |a, b, _c| a.wrapping_mul(b);
        "mul.hi.u32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| ((u64::from(a) * u64::from(b)) >> 32) as u32;
        "mul.hi.s32 %0, %1, %2", (i32; i32, i32, i32) |a, b, _c| ((i64::from(a) * i64::from(b)) >> 32) as i32;
        "mul.wide.u32 %0, %1, %2", (u64; u32, u32, u32) |a, b, _c| u64::from(a) * u64::from(b);
        "mul.wide.s32 %0, %1, %2", (i64; i32, i32, i32) |a, b, _c| i64::from(a) * i64::from(b);
        "mad.lo.u32 %0, %1, %2, %3", (u32; u32, u32, u32) |a, b, c| a.wrapping_mul(b).wrapping_add(c);
        "mad.wide.s32 %0, %1, %2, %3", (i64; i32, i32, i64) |a, b, c| (i64::from(a) * i64::from(b)).wrapping_add(c);
        "mad.hi.s32 %0, %1, %2, %3", (i32; i32, i32, i32) |a, b, c|
            (((i64::from(a) * i64::from(b)) >> 32) as i32).wrapping_add(c);
        "div.s32 %0, %1, %2", (i32; i32, i32, i32) |a, b, _c| if b == 0 { -1 } else { a.wrapping_div(b) };
        "div.u32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| a.checked_div(b).unwrap_or(u32::MAX);
        "rem.s32 %0, %1, %2", (i32; i32, i32, i32) |a, b, _c| if b == 0 { a } else { a.wrapping_rem(b) };
        "rem.u32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| a.checked_rem(b).unwrap_or(a);
        "min.s32 %0, %1, %2", (i32; i32, i32, i32) |a, b, _c| a.min(b);
        "max.u32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| a.max(b);
        "neg.s32 %0, %1", (i32; i32, i32, i32) |a, _b, _c| a.wrapping_neg();
        "abs.s32 %0, %1", (i32; i32, i32, i32) |a, _b, _c| a.wrapping_abs();
    }
}

#[test]
fn bits_of_32() {
    check! { integers();
        "and.b32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| a & b;
        "or.b32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| a | b;
        "xor.b32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| a ^ b;
        "not.b32 %0, %1", (u32; u32, u32, u32) |a, _b, _c| !a;
        "shl.b32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| a.checked_shl(b).unwrap_or(0);
        "shr.u32 %0, %1, %2", (u32; u32, u32, u32) |a, b, _c| a.checked_shr(b).unwrap_or(0);
        "shr.s32 %0, %1, %2", (i32; i32, u32, u32) |a, b, _c| a >> b.min(31);
        "popc.b32 %0, %1", (u32; u32, u32, u32) |a, _b, _c| a.count_ones();
        "clz.b32 %0, %1", (u32; u32, u32, u32) |a, _b, _c| a.leading_zeros();
        "brev.b32 %0, %1", (u32; u32, u32, u32) |a, _b, _c| a.reverse_bits();
        "shf.l.wrap.b32 %0, %1, %2, %3", (u32; u32, u32, u32) |a, b, c|
            if c % 32 == 0 { b } else { b << (c % 32) | a >> (32 - c % 32) };
        "shf.r.clamp.b32 %0, %1, %2, %3", (u32; u32, u32, u32) |a, b, c| match c {
            0 => a,
            1..32 => a >> c | b << (32 - c),
            _ => b,
        };
        "prmt.b32 %0, %1, %2, 0x3715", (u32; u32, u32, u32) |a, b, _c|
            u32::from_le_bytes([b.to_le_bytes()[1], a.to_le_bytes()[1], b.to_le_bytes()[3], a.to_le_bytes()[3]]);
        "lop3.b32 %0, %1, %2, %3, 0xca", (u32; u32, u32, u32) |a, b, c| a & b | !a & c;
        "lop3.b32 %0, %1, %2, %3, 0x96", (u32; u32, u32, u32) |a, b, c| a ^ b ^ c;
    }
}

#[test]
fn fields_of_bits() {
    /// The pseudocode of the PTX manual, bit by bit.
    fn extract(a: u64, position: u32, length: u32, bits: u32, signed: bool) -> u64 {
        let (position, length) = (position & 0xff, length & 0xff);
        let bit = |n: u32| if n < bits { a >> n & 1 } else { 0 };
        let sign =
            if !signed || length == 0 { 0 } else { a >> (position + length - 1).min(bits - 1) & 1 };
        (0..bits).fold(0, |out, n| {
            out | (if n < length && position + n < bits { bit(position + n) } else { sign }) << n
        })
    }
    fn insert(a: u64, b: u64, position: u32, length: u32, bits: u32) -> u64 {
        let (position, length) = (position & 0xff, length & 0xff);
        (0..length)
            .filter(|n| position + n < bits)
            .fold(b, |out, n| out & !(1 << (position + n)) | (a >> n & 1) << (position + n))
    }
    check! { integers();
        "bfe.u32 %0, %1, %2, %3", (u32; u32, u32, u32) |a, b, c| extract(a.into(), b, c, 32, false) as u32;
        "bfe.s32 %0, %1, %2, %3", (u32; u32, u32, u32) |a, b, c| extract(a.into(), b, c, 32, true) as u32;
        "bfe.u64 %0, %1, %2, %3", (u64; u64, u32, u32) |a, b, c| extract(a, b, c, 64, false);
        "bfe.s64 %0, %1, %2, %3", (u64; u64, u32, u32) |a, b, c| extract(a, b, c, 64, true);
        "bfi.b32 %0, %1, %2, %3, 7", (u32; u32, u32, u32) |a, b, c| insert(a.into(), b.into(), c, 7, 32) as u32;
        "bfi.b64 %0, %1, %2, 5, %3", (u64; u64, u64, u32) |a, b, c| insert(a, b, 5, c, 64);
        "bfi.b64 %0, %1, %2, %3, 64", (u64; u64, u64, u32) |a, b, c| insert(a, b, c, 64, 64);
    }
}

#[test]
fn integers_of_16_and_64_bits() {
    check! { integers();
        "add.s16 %0, %1, %2", (i16; i16, i16, i16) |a, b, _c| a.wrapping_add(b);
        "mul.lo.u16 %0, %1, %2", (u16; u16, u16, u16) |a, b, _c| a.wrapping_mul(b);
        "mul.hi.s16 %0, %1, %2", (i16; i16, i16, i16) |a, b, _c| ((i32::from(a) * i32::from(b)) >> 16) as i16;
        "mul.wide.s16 %0, %1, %2", (i32; i16, i16, i16) |a, b, _c| i32::from(a) * i32::from(b);
        "mul.wide.u16 %0, %1, %2", (u32; u16, u16, u16) |a, b, _c| u32::from(a) * u32::from(b);
        "shr.s16 %0, %1, %2", (i16; i16, u32, u16) |a, b, _c| a >> b.min(15);
        "shl.b16 %0, %1, %2", (u16; u16, u32, u16) |a, b, _c| a.checked_shl(b).unwrap_or(0);
        "min.s16 %0, %1, %2", (i16; i16, i16, i16) |a, b, _c| a.min(b);
        "not.b16 %0, %1", (u16; u16, u16, u16) |a, _b, _c| !a;
        "sub.u64 %0, %1, %2", (u64; u64, u64, u64) |a, b, _c| a.wrapping_sub(b);
        "mul.lo.u64 %0, %1, %2", (u64; u64, u64, u64) |a, b, _c| a.wrapping_mul(b);
        "mul.hi.u64 %0, %1, %2", (u64; u64, u64, u64) |a, b, _c| ((u128::from(a) * u128::from(b)) >> 64) as u64;
        "mul.hi.s64 %0, %1, %2", (i64; i64, i64, i64) |a, b, _c| ((i128::from(a) * i128::from(b)) >> 64) as i64;
        "mad.lo.s64 %0, %1, %2, %3", (i64; i64, i64, i64) |a, b, c| a.wrapping_mul(b).wrapping_add(c);
        "div.s64 %0, %1, %2", (i64; i64, i64, i64) |a, b, _c| if b == 0 { -1 } else { a.wrapping_div(b) };
        "rem.u64 %0, %1, %2", (u64; u64, u64, u64) |a, b, _c| a.checked_rem(b).unwrap_or(a);
        "max.s64 %0, %1, %2", (i64; i64, i64, i64) |a, b, _c| a.max(b);
        "shl.b64 %0, %1, %2", (u64; u64, u32, u64) |a, b, _c| a.checked_shl(b).unwrap_or(0);
        "shr.u64 %0, %1, %2", (u64; u64, u32, u64) |a, b, _c| a.checked_shr(b).unwrap_or(0);
        "shr.s64 %0, %1, %2", (i64; i64, u32, u64) |a, b, _c| a >> b.min(63);
        "popc.b64 %0, %1", (u32; u64, u32, u64) |a, _b, _c| a.count_ones();
        "clz.b64 %0, %1", (u32; u64, u32, u64) |a, _b, _c| a.leading_zeros();
        "mov.b64 %0, {%1, %2}", (u64; u32, u32, u32) |a, b, _c| u64::from(a) | u64::from(b) << 32;
        "mov.b64 {%0, _}, %1", (u32; u64, u32, u32) |a, _b, _c| a as u32;
        "mov.b64 {_, %0}, %1", (u32; u64, u32, u32) |a, _b, _c| (a >> 32) as u32;
        "mov.b32 {_, %0}, %1", (u16; u32, u32, u32) |a, _b, _c| (a >> 16) as u16;
        "mov.b64 %0, {%1, %2, %3, %1}", (u64; u16, u16, u16) |a, b, c|
            [a, b, c, a].iter().rev().fold(0, |out, part| out << 16 | u64::from(*part));
    }
}

#[test]
fn comparisons_with_and_without_order() {
    holds! { singles(), f32;
        "setp.eq.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a == b;
        "setp.ne.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a != b && !a.is_nan() && !b.is_nan();
        "setp.lt.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a < b;
        "setp.le.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a <= b;
        "setp.gt.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a > b;
        "setp.ge.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a >= b;
        "setp.equ.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a == b || a.is_nan() || b.is_nan();
        "setp.neu.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a != b;
        "setp.ltu.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a < b || a.is_nan() || b.is_nan();
        "setp.leu.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a <= b || a.is_nan() || b.is_nan();
        "setp.gtu.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a > b || a.is_nan() || b.is_nan();
        "setp.geu.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a >= b || a.is_nan() || b.is_nan();
        "setp.num.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| !(a.is_nan() || b.is_nan());
        "setp.nan.f32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a.is_nan() || b.is_nan();
        "setp.lt.f32 %p1|%p2, %1, %2; selp.u32 %0, 1, 0, %p2" |a, b| a.partial_cmp(&b) != Some(std::cmp::Ordering::Less);
        "setp.eq.u32 %p3, 1, 1; setp.lt.xor.f32 %p1, %1, %2, %p3; selp.u32 %0, 1, 0, %p1" |a, b|
            a.partial_cmp(&b) != Some(std::cmp::Ordering::Less);
        "setp.eq.u32 %p3, 1, 1; setp.lt.and.f32 %p1, %1, %2, !%p3; selp.u32 %0, 1, 0, %p1" |_a, _b| false;
    }
}

#[test]
fn comparisons_of_other_types() {
    holds! { doubles(), f64;
        "setp.lt.f64 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a < b;
        "setp.neu.f64 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a != b;
    }
    holds! { integers(), u32;
        "setp.lo.u32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a < b;
        "setp.hs.u32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a >= b;
        "setp.ne.b32 %p1, %1, %2; not.pred %p2, %p1; selp.u32 %0, 1, 0, %p2" |a, b| a == b;
    }
    holds! { integers(), i32;
        "setp.lt.s32 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a < b;
        "setp.ge.s32 %p1, %1, %2; mov.pred %p2, %p1; selp.u32 %0, 1, 0, %p2" |a, b| a >= b;
    }
    holds! { integers(), i64;
        "setp.le.s64 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a <= b;
    }
    holds! { integers(), i16;
        "setp.gt.s16 %p1, %1, %2; selp.u32 %0, 1, 0, %p1" |a, b| a > b;
    }
}
