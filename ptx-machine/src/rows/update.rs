//! What an atomic does to the old value, by operation and type.

use super::lane::Lane;
use super::{with_float, with_integer};
use crate::code::Update;
use crate::syntax::Type;

macro_rules! update {
    ($t:ty, |$old:ident, $b:ident, $c:ident| $body:expr) => {{
        fn update(old: u64, b: u64, c: u64) -> u64 {
            let ($old, $b, $c) = (<$t>::read(old), <$t>::read(b), <$t>::read(c));
            let new: $t = $body;
            new.write()
        }
        update as Update
    }};
}

/// The update of `atom.add.u32` and its like; None where the operation does not know the type.
pub(crate) fn update(operation: &str, kind: Type) -> Option<Update> {
    if kind.bits() < 32 && !(operation == "cas" && kind == Type::B16) {
        return None;
    }
    let bits = matches!(kind, Type::B16 | Type::B32 | Type::B64);
    match operation {
        "add" if kind.is_float() => with_float!(kind, T => update!(T, |old, b, _c| old + b)),
        "add" if !bits => with_integer!(kind, T => update!(T, |old, b, _c| old.wrapping_add(b))),
        "min" if !bits => with_integer!(kind, T => update!(T, |old, b, _c| old.min(b))),
        "max" if !bits => with_integer!(kind, T => update!(T, |old, b, _c| old.max(b))),
        "and" if bits => with_integer!(kind, T => update!(T, |old, b, _c| old & b)),
        "or" if bits => with_integer!(kind, T => update!(T, |old, b, _c| old | b)),
        "xor" if bits => with_integer!(kind, T => update!(T, |old, b, _c| old ^ b)),
        "exch" if bits => with_integer!(kind, T => update!(T, |_old, b, _c| b)),
        "cas" if bits => {
            with_integer!(kind, T => update!(T, |old, b, c| if old == b { c } else { old }))
        }
        "inc" if kind == Type::U32 => {
            Some(update!(u32, |old, b, _c| if old >= b { 0 } else { old + 1 }))
        }
        "dec" if kind == Type::U32 => {
            Some(update!(u32, |old, b, _c| if old == 0 || old > b { b } else { old - 1 }))
        }
        _ => None,
    }
}
