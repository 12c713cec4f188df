//! What an instruction does to whole rows: one small function for each operation and type.

mod convert;
mod float;
mod integer;
mod lane;
mod logic;
mod round;
mod update;

pub(crate) use float::{float_map1, float_map2, float_map3, flush_subnormal, flush_subnormals};
pub(crate) use integer::{
    bit_map1, bit_map2, bit_map3, integer_map1, integer_map2, integer_map3, lop3,
};
pub(crate) use logic::{logic, relation, test};
pub(crate) use update::update;

/// A function over the lanes of one row.
macro_rules! map1 {
    ($t:ty, |$a:ident| $body:expr) => {{
        fn map(out: &mut crate::code::Row, x: &crate::code::Row) {
            for (out, x) in out.iter_mut().zip(x) {
                let $a = <$t as crate::rows::lane::Lane>::read(*x);
                *out = crate::rows::lane::Lane::write($body);
            }
        }
        map as crate::code::Map1
    }};
}

/// A function over the lanes of two rows.
macro_rules! map2 {
    ($t:ty, $u:ty, |$a:ident, $b:ident| $body:expr) => {{
        fn map(out: &mut crate::code::Row, x: &crate::code::Row, y: &crate::code::Row) {
            for lane in 0..crate::code::WARP {
                let $a = <$t as crate::rows::lane::Lane>::read(x[lane]);
                let $b = <$u as crate::rows::lane::Lane>::read(y[lane]);
                out[lane] = crate::rows::lane::Lane::write($body);
            }
        }
        map as crate::code::Map2
    }};
}

/// A function over the lanes of three rows.
macro_rules! map3 {
    ($t:ty, $u:ty, $v:ty, |$a:ident, $b:ident, $c:ident| $body:expr) => {{
        fn map(
            out: &mut crate::code::Row,
            x: &crate::code::Row,
            y: &crate::code::Row,
            z: &crate::code::Row,
        ) {
            for lane in 0..crate::code::WARP {
                let $a = <$t as crate::rows::lane::Lane>::read(x[lane]);
                let $b = <$u as crate::rows::lane::Lane>::read(y[lane]);
                let $c = <$v as crate::rows::lane::Lane>::read(z[lane]);
                out[lane] = crate::rows::lane::Lane::write($body);
            }
        }
        map as crate::code::Map3
    }};
}

/// Evaluates an expression with `$t` the integer type of a suffix; bit types count as unsigned.
macro_rules! with_integer {
    ($kind:expr, $t:ident => $body:expr) => {
        match $kind {
            Type::B16 | Type::U16 => {
                type $t = u16;
                Some($body)
            }
            Type::B32 | Type::U32 => {
                type $t = u32;
                Some($body)
            }
            Type::B64 | Type::U64 => {
                type $t = u64;
                Some($body)
            }
            Type::S16 => {
                type $t = i16;
                Some($body)
            }
            Type::S32 => {
                type $t = i32;
                Some($body)
            }
            Type::S64 => {
                type $t = i64;
                Some($body)
            }
            _ => None,
        }
    };
}

/// Evaluates an expression with `$t` the Rust type of a floating-point suffix.
macro_rules! with_float {
    ($kind:expr, $t:ident => $body:expr) => {
        match $kind {
            Type::F32 => {
                type $t = f32;
                Some($body)
            }
            Type::F64 => {
                type $t = f64;
                Some($body)
            }
            _ => None,
        }
    };
}

use {map1, map2, map3, with_float, with_integer};
