//! Integers: two's complement, wrapping; shifts and fields clamped as PTX says.

use super::{map1, map2, map3, with_integer};
use crate::code::{Map1, Map2, Map3};
use crate::syntax::Type;

pub(crate) fn integer_map1(base: &str, kind: Type) -> Option<Map1> {
    match base {
        "neg" => with_integer!(kind, T => map1!(T, |a| a.wrapping_neg())),
        "abs" if kind.is_signed() => match kind {
            Type::S16 => Some(map1!(i16, |a| a.wrapping_abs())),
            Type::S32 => Some(map1!(i32, |a| a.wrapping_abs())),
            _ => Some(map1!(i64, |a| a.wrapping_abs())),
        },
        _ => None,
    }
}

/// By opcode and half: `mul.lo`, `mul.hi`, `mul.wide`.
pub(crate) fn integer_map2(base: &str, kind: Type) -> Option<Map2> {
    match base {
        "add" => with_integer!(kind, T => map2!(T, T, |a, b| a.wrapping_add(b))),
        "sub" => with_integer!(kind, T => map2!(T, T, |a, b| a.wrapping_sub(b))),
        "mul.lo" => with_integer!(kind, T => map2!(T, T, |a, b| a.wrapping_mul(b))),
        "mul.hi" => with_integer!(kind, T => map2!(T, T, |a, b| {
            ((i128::from(a).wrapping_mul(i128::from(b))) >> T::BITS) as T
        })),
        "mul.wide" => wide(kind),
        // What a device gives for x / 0 is unspecified; all ones and x are what it gives in practice.
        "div" => {
            with_integer!(kind, T => map2!(T, T, |a, b| if b == 0 { !0 } else { a.wrapping_div(b) }))
        }
        "rem" => {
            with_integer!(kind, T => map2!(T, T, |a, b| if b == 0 { a } else { a.wrapping_rem(b) }))
        }
        "min" => with_integer!(kind, T => map2!(T, T, |a, b| a.min(b))),
        "max" => with_integer!(kind, T => map2!(T, T, |a, b| a.max(b))),
        "add.sat" if kind == Type::S32 => Some(map2!(i32, i32, |a, b| a.saturating_add(b))),
        "sub.sat" if kind == Type::S32 => Some(map2!(i32, i32, |a, b| a.saturating_sub(b))),
        _ => None,
    }
}

fn wide(kind: Type) -> Option<Map2> {
    Some(match kind {
        Type::U16 => map2!(u16, u16, |a, b| u32::from(a) * u32::from(b)),
        Type::S16 => map2!(i16, i16, |a, b| i32::from(a) * i32::from(b)),
        Type::U32 => map2!(u32, u32, |a, b| u64::from(a) * u64::from(b)),
        Type::S32 => map2!(i32, i32, |a, b| i64::from(a) * i64::from(b)),
        _ => return None,
    })
}

pub(crate) fn integer_map3(base: &str, kind: Type) -> Option<Map3> {
    match base {
        "mad.lo" => {
            with_integer!(kind, T => map3!(T, T, T, |a, b, c| a.wrapping_mul(b).wrapping_add(c)))
        }
        "mad.hi" => with_integer!(kind, T => map3!(T, T, T, |a, b, c| {
            (((i128::from(a).wrapping_mul(i128::from(b))) >> T::BITS) as T).wrapping_add(c)
        })),
        "mad.wide" => Some(match kind {
            Type::U16 => {
                map3!(u16, u16, u32, |a, b, c| (u32::from(a) * u32::from(b)).wrapping_add(c))
            }
            Type::S16 => {
                map3!(i16, i16, i32, |a, b, c| (i32::from(a) * i32::from(b)).wrapping_add(c))
            }
            Type::U32 => {
                map3!(u32, u32, u64, |a, b, c| (u64::from(a) * u64::from(b)).wrapping_add(c))
            }
            Type::S32 => {
                map3!(i32, i32, i64, |a, b, c| (i64::from(a) * i64::from(b)).wrapping_add(c))
            }
            _ => return None,
        }),
        _ => None,
    }
}

pub(crate) fn bit_map1(base: &str, kind: Type) -> Option<Map1> {
    match base {
        "not" => with_integer!(kind, T => map1!(T, |a| !a)),
        "brev" => with_integer!(kind, T => map1!(T, |a| a.reverse_bits())),
        "popc" => with_integer!(kind, T => map1!(T, |a| a.count_ones())),
        "clz" => with_integer!(kind, T => map1!(T, |a| a.leading_zeros())),
        _ => None,
    }
}

pub(crate) fn bit_map2(base: &str, kind: Type) -> Option<Map2> {
    match base {
        "and" => with_integer!(kind, T => map2!(T, T, |a, b| a & b)),
        "or" => with_integer!(kind, T => map2!(T, T, |a, b| a | b)),
        "xor" => with_integer!(kind, T => map2!(T, T, |a, b| a ^ b)),
        "shl" => {
            with_integer!(kind, T => map2!(T, u32, |a, b| if b < T::BITS { a << b } else { 0 }))
        }
        // A shift beyond the width leaves zeros, or the sign.
        "shr" => {
            with_integer!(kind, T => map2!(T, u32, |a, b| a >> (T::BITS - 1).min(b) >> u32::from(b >= T::BITS)))
        }
        _ => None,
    }
}

/// `shf`, `bfe`, `bfi`, `prmt`: three sources of 32 or 64 bits.
pub(crate) fn bit_map3(base: &str, kind: Type) -> Option<Map3> {
    Some(match (base, kind) {
        ("shf.l.wrap", Type::B32) => map3!(u32, u32, u32, |a, b, c| funnel_left(a, b, c & 31)),
        ("shf.l.clamp", Type::B32) => map3!(u32, u32, u32, |a, b, c| funnel_left(a, b, c.min(32))),
        ("shf.r.wrap", Type::B32) => map3!(u32, u32, u32, |a, b, c| funnel_right(a, b, c & 31)),
        ("shf.r.clamp", Type::B32) => map3!(u32, u32, u32, |a, b, c| funnel_right(a, b, c.min(32))),
        ("bfe", Type::U32) => {
            map3!(u32, u32, u32, |a, b, c| field(a.into(), b, c, 32, false) as u32)
        }
        ("bfe", Type::S32) => {
            map3!(u32, u32, u32, |a, b, c| field(a.into(), b, c, 32, true) as u32)
        }
        ("bfe", Type::U64) => map3!(u64, u32, u32, |a, b, c| field(a, b, c, 64, false)),
        ("bfe", Type::S64) => map3!(u64, u32, u32, |a, b, c| field(a, b, c, 64, true)),
        ("prmt", Type::B32) => map3!(u32, u32, u32, |a, b, c| permute(a, b, c)),
        _ => return None,
    })
}

fn funnel_left(low: u32, high: u32, by: u32) -> u32 {
    (((u64::from(high) << 32 | u64::from(low)) << by) >> 32) as u32
}

fn funnel_right(low: u32, high: u32, by: u32) -> u32 {
    ((u64::from(high) << 32 | u64::from(low)) >> by) as u32
}

/// `length` bits from `position`; beyond the top stands zero, or the sign of the field's last bit.
fn field(a: u64, position: u32, length: u32, bits: u32, signed: bool) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    if length == 0 {
        return 0;
    }
    let shifted = if position < bits { a >> position } else { 0 };
    let kept = if length < 64 { shifted & ((1 << length) - 1) } else { shifted };
    let last = (position + length - 1).min(bits - 1);
    if signed && a >> last & 1 == 1 {
        let have = (last + 1).saturating_sub(position);
        if have < 64 { kept | u64::MAX << have } else { kept }
    } else {
        kept
    }
}

/// The default mode of `prmt`: each nibble of `c` picks a byte of b:a, or that byte's sign.
fn permute(a: u32, b: u32, c: u32) -> u32 {
    let bytes = (u64::from(b) << 32 | u64::from(a)).to_le_bytes();
    let pick = |place: u32| {
        let nibble = c >> (4 * place) & 0xf;
        let byte = bytes[(nibble & 7) as usize];
        let byte = if nibble & 8 == 0 { byte } else { (byte.cast_signed() >> 7).cast_unsigned() };
        u32::from(byte) << (8 * place)
    };
    pick(0) | pick(1) | pick(2) | pick(3)
}

/// `lop3.b32`: any function of three bits, by its table.
pub(crate) fn lop3(a: u32, b: u32, c: u32, table: u32) -> u32 {
    (0..8).filter(|row| table >> row & 1 == 1).fold(0, |out, row| {
        let term = |value: u32, bit: u32| if row >> bit & 1 == 1 { value } else { !value };
        out | term(a, 2) & term(b, 1) & term(c, 0)
    })
}
