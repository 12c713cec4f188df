//! The format of the implementation that is judged, and values with the error it may make.

use crate::number::Number;

/// What the oracle must know of the implementation's scalar type. The oracle itself always computes in f64.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// u: half the distance from 1 to the next number.
    pub unit_roundoff: f64,
    /// Memory, momentum and moments below this in absolute value are stored as +0.0.
    pub smallest_normal: f64,
    /// friendly-sam and friendly-asam: norm(D s) below this multiple of norm(D g) is a zero norm.
    pub friendly_floor: f64,
    /// Likewise a norm(D g) below this counts as this, since squares of it may have vanished.
    pub friendly_least: f64,
}

impl Format {
    /// IEEE 754 binary32.
    pub const F32: Self = Self {
        unit_roundoff: 1.0 / (1_u64 << 24) as f64,
        smallest_normal: f32::MIN_POSITIVE as f64,
        friendly_floor: 1.0 / (1_u64 << 20) as f64,
        friendly_least: 1.0 / (1_u64 << 50) as f64,
    };
    /// IEEE 754 binary64.
    pub const F64: Self = Self {
        unit_roundoff: f64::EPSILON / 2.0,
        smallest_normal: f64::MIN_POSITIVE,
        friendly_floor: 1.0 / (1_u64 << 48) as f64,
        // 2^-450
        friendly_least: f64::from_bits((1023 - 450) << 52),
    };

    /// The error bound in this format:
    ///
    /// ```text
    /// (u + 2^-53) * roundings + smallest_normal
    /// ```
    ///
    /// 2^-53 because the oracle rounds too (which matters for f64 alone), the last term for what is flushed or
    /// subnormal. First order, and for one step from equal inputs: an intermediate that leaves the normal range, but for
    /// a slope times its preconditioner that is subnormal, or an error inherited from an earlier step, is not covered.
    #[must_use]
    pub fn error_bound(self, number: Number) -> f64 {
        (self.unit_roundoff + Self::F64.unit_roundoff) * number.roundings + self.smallest_normal
    }

    /// The same where the result may be subnormal: so many halves of the smallest number, u times the smallest normal
    /// one, on top. What was copied is exact there too.
    pub(crate) fn with_subnormal(self, number: Number, halves: f64) -> Number {
        let own = if number.roundings == 0.0 { 0.0 } else { self.smallest_normal * halves };
        Number { roundings: number.roundings + own, ..number }
    }

    /// The value with its bound.
    #[must_use]
    pub fn bounded(self, number: Number) -> Bounded {
        Bounded { value: number.value, bound: self.error_bound(number) }
    }

    /// The values with their bounds.
    #[must_use]
    pub fn bounded_vector(self, numbers: &[Number]) -> BoundedVector {
        BoundedVector {
            values: numbers.iter().map(|x| x.value).collect(),
            bounds: numbers.iter().map(|x| self.error_bound(*x)).collect(),
        }
    }

    /// What is stored of a number: +0.0 below the smallest normal one, where an average would stick for ever. Its
    /// rounding errors stay: where terms cancel here to 0, in another order they leave a unit of theirs.
    #[must_use]
    pub fn stored(self, number: Number) -> Number {
        if number.value.abs() < self.smallest_normal {
            Number { value: 0.0, ..number }
        } else {
            number
        }
    }
}

/// A value, and by how much an implementation may miss it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded {
    /// The oracle's value.
    pub value: f64,
    /// [`Format::error_bound`] of it.
    pub bound: f64,
}

/// The values of one segment, and by how much an implementation may miss each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoundedVector {
    /// The oracle's values.
    pub values: Vec<f64>,
    /// [`Format::error_bound`] of each.
    pub bounds: Vec<f64>,
}

impl BoundedVector {
    /// Values copied from an input: no implementation may miss them at all.
    #[must_use]
    pub fn copied(values: &[f64]) -> Self {
        Self { values: values.to_vec(), bounds: vec![0.0; values.len()] }
    }
}
