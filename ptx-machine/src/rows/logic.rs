//! Comparisons to masks, and the logic of predicates.

use super::lane::Lane;
use super::{with_float, with_integer};
use crate::code::{Logic, Row, Test};
use crate::syntax::Type;
use std::cmp::Ordering::{Equal, Greater, Less};

/// A comparison; `u` is true as well where an operand is a NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    EqualOrNan,
    NotEqualOrNan,
    LessOrNan,
    LessOrEqualOrNan,
    GreaterOrNan,
    GreaterOrEqualOrNan,
    BothNumbers,
    SomeNan,
}

/// The relation of a suffix, for this type.
pub(crate) fn relation(suffix: &str, kind: Type) -> Option<Relation> {
    use Relation as R;
    let found = match suffix {
        "eq" => R::Equal,
        "ne" => R::NotEqual,
        "lt" | "lo" => R::Less,
        "le" | "ls" => R::LessOrEqual,
        "gt" | "hi" => R::Greater,
        "ge" | "hs" => R::GreaterOrEqual,
        "equ" => R::EqualOrNan,
        "neu" => R::NotEqualOrNan,
        "ltu" => R::LessOrNan,
        "leu" => R::LessOrEqualOrNan,
        "gtu" => R::GreaterOrNan,
        "geu" => R::GreaterOrEqualOrNan,
        "num" => R::BothNumbers,
        "nan" => R::SomeNan,
        _ => return None,
    };
    let unordered = matches!(suffix, "equ" | "neu" | "ltu" | "leu" | "gtu" | "geu" | "num" | "nan");
    let unsigned = matches!(suffix, "lo" | "ls" | "hi" | "hs");
    let bits = matches!(kind, Type::B16 | Type::B32 | Type::B64);
    let allowed = (!unordered || kind.is_float())
        && (!unsigned || !kind.is_float() && !kind.is_signed() && !bits)
        && (!bits || matches!(suffix, "eq" | "ne"));
    allowed.then_some(found)
}

fn mask<T: Lane>(x: &Row, y: &Row, holds: impl Fn(T, T) -> bool) -> u32 {
    let mut mask = 0;
    for (lane, (x, y)) in x.iter().zip(y).enumerate() {
        mask |= u32::from(holds(T::read(*x), T::read(*y))) << lane;
    }
    mask
}

macro_rules! test {
    ($t:ty, |$a:ident, $b:ident| $body:expr) => {{
        fn test(x: &Row, y: &Row) -> u32 {
            mask::<$t>(x, y, |$a, $b| $body)
        }
        test as Test
    }};
}

pub(crate) fn test(relation: Relation, kind: Type) -> Option<Test> {
    if kind.is_float() {
        with_float!(kind, T => float_test!(relation, T))
    } else {
        integer_test(relation, kind)
    }
}

/// By what the comparison of the two gives: an order, or none where one is a NaN.
macro_rules! float_test {
    ($relation:expr, $t:ty) => {
        match $relation {
            Relation::Equal => ordered!($t, Some(Equal)),
            Relation::NotEqual => ordered!($t, Some(Less | Greater)),
            Relation::Less => ordered!($t, Some(Less)),
            Relation::LessOrEqual => ordered!($t, Some(Less | Equal)),
            Relation::Greater => ordered!($t, Some(Greater)),
            Relation::GreaterOrEqual => ordered!($t, Some(Greater | Equal)),
            Relation::EqualOrNan => ordered!($t, Some(Equal) | None),
            Relation::NotEqualOrNan => ordered!($t, Some(Less | Greater) | None),
            Relation::LessOrNan => ordered!($t, Some(Less) | None),
            Relation::LessOrEqualOrNan => ordered!($t, Some(Less | Equal) | None),
            Relation::GreaterOrNan => ordered!($t, Some(Greater) | None),
            Relation::GreaterOrEqualOrNan => ordered!($t, Some(Greater | Equal) | None),
            Relation::BothNumbers => test!($t, |a, b| a.partial_cmp(&b).is_some()),
            Relation::SomeNan => test!($t, |a, b| a.partial_cmp(&b).is_none()),
        }
    };
}

macro_rules! ordered {
    ($t:ty, $pattern:pat) => {
        test!($t, |a, b| matches!(a.partial_cmp(&b), $pattern))
    };
}
use {float_test, ordered};

fn integer_test(relation: Relation, kind: Type) -> Option<Test> {
    with_integer!(kind, T => match relation {
        Relation::Equal => test!(T, |a, b| a == b),
        Relation::NotEqual => test!(T, |a, b| a != b),
        Relation::Less => test!(T, |a, b| a < b),
        Relation::LessOrEqual => test!(T, |a, b| a <= b),
        Relation::Greater => test!(T, |a, b| a > b),
        Relation::GreaterOrEqual => test!(T, |a, b| a >= b),
        _ => return None,
    })
}

/// `and or xor` of predicates.
pub(crate) fn logic(base: &str) -> Option<Logic> {
    Some(match base {
        "and" => |a, b| a & b,
        "or" => |a, b| a | b,
        "xor" => |a, b| a ^ b,
        _ => return None,
    })
}
