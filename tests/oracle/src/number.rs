//! A value together with the rounding error that another implementation of the same formula may make.
//!
//! Running error analysis, to first order: an implementation with unit roundoff u computes each operation as
//! result * (1 + d), |d| <= u. If a and b already carry absolute errors u*ra and u*rb, then
//!
//! ```text
//! a + b    ra + rb                + |a + b|
//! a * b    |a| rb + |b| ra        + |a b|
//! a / b    (ra + |a/b| rb) / |b|  + |a / b|
//! sqrt a   ra / (2 sqrt a)        + sqrt a
//! ```
//!
//! Terms in u^2 are left out, errors of correlated operands are added as if they were not, and an operation that is
//! exact in every format (adding an exact 0, multiplying by an exact 0 or 1) costs nothing.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A value and its absolute error in units of the unit roundoff.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Number {
    /// The value in f64.
    pub value: f64,
    /// First-order limit of the absolute error of another implementation, divided by its unit roundoff.
    pub roundings: f64,
}

impl Number {
    /// The number 0, exact.
    pub const ZERO: Self = Self::exact(0.0);
    /// The number 1, exact.
    pub const ONE: Self = Self::exact(1.0);

    /// A value that every implementation holds exactly: a parameter, a gradient, a setting.
    #[must_use]
    pub const fn exact(value: f64) -> Self {
        Self { value, roundings: 0.0 }
    }

    /// The result of one rounded operation, `inherited` being what its operands bring along. A result that is subnormal
    /// in f64, or vanishes there, is off as the smallest normal one may be.
    fn rounded(value: f64, inherited: f64) -> Self {
        Self { value, roundings: inherited + value.abs().max(f64::MIN_POSITIVE) }
    }

    fn is_exactly(self, value: f64) -> bool {
        self.roundings == 0.0 && self.value.abs() == value
    }

    /// |a|, exact in every format.
    #[must_use]
    pub fn abs(self) -> Self {
        Self { value: self.value.abs(), ..self }
    }

    /// The square root.
    #[must_use]
    pub fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        let inherited = if self.roundings == 0.0 { 0.0 } else { self.roundings / (2.0 * value) };
        Self::rounded(value, inherited)
    }

    /// The n-th power as a running product: n - 1 multiplications.
    #[must_use]
    pub fn power(self, exponent: u64) -> Self {
        let value = self.value.powi(i32::try_from(exponent).unwrap_or(i32::MAX));
        let products = exponent.saturating_sub(1) as f64;
        let inherited = if self.roundings == 0.0 {
            0.0
        } else {
            exponent as f64 * (value / self.value).abs() * self.roundings
        };
        Self { value, roundings: inherited + products * value.abs() }
    }
}

/// of_old old + of_new new, with weights that sum to 1, by whichever formula an implementation likes:
///
/// ```text
/// of_old old + of_new new
/// old + of_new (new - old)
/// new - of_old (new - old)
/// ```
///
/// fused or not. The first is exact where a weight is 0 or an operand is 0 or 1, the others are not; `roundings` is
/// what any of them may be off by: of a gap |new - old| three roundings where 1 - weight, the difference and its
/// product are rounded, two where the weight is a setting.
#[must_use]
pub fn average([of_old, of_new]: [Number; 2], old: Number, new: Number) -> Number {
    let weighed = of_old * old + of_new * new;
    let inherited = of_old.value.abs() * old.roundings + of_new.value.abs() * new.roundings;
    let gap = (new.value - old.value).abs();
    let factor = (3.0 * of_new.value.abs()).max(2.0 * of_old.value.abs());
    let by_gap = if gap == 0.0 { 0.0 } else { inherited + factor * gap + weighed.value.abs() };
    // Where something is not finite there is nothing to compare.
    let by_gap = if by_gap.is_nan() { 0.0 } else { by_gap };
    Number { value: weighed.value, roundings: weighed.roundings.max(by_gap) }
}

impl Add for Number {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let value = self.value + other.value;
        let inherited = self.roundings + other.roundings;
        if self.is_exactly(0.0) || other.is_exactly(0.0) {
            return Self { value, roundings: inherited };
        }
        Self::rounded(value, inherited)
    }
}

impl Neg for Number {
    type Output = Self;
    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
}

impl Sub for Number {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Number {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let value = self.value * other.value;
        let inherited = self.value.abs() * other.roundings + other.value.abs() * self.roundings;
        let is_trivial = |x: Self| x.is_exactly(0.0) || x.is_exactly(1.0);
        if is_trivial(self) || is_trivial(other) {
            return Self { value, roundings: inherited };
        }
        Self::rounded(value, inherited)
    }
}

impl Div for Number {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        // However an infinite number was rounded, it leaves nothing of a finite one.
        if other.value.is_infinite() && self.value.is_finite() {
            return Self::exact(value);
        }
        let inherited = (self.roundings + value.abs() * other.roundings) / other.value.abs();
        if other.is_exactly(1.0) || self.is_exactly(0.0) {
            return Self { value, roundings: inherited };
        }
        Self::rounded(value, inherited)
    }
}

// So that a formula reads `1.0 - decay * m`: a bare f64 is an exact setting.
macro_rules! with_exact {
    ($($operator:ident $function:ident;)*) => {$(
        impl $operator<f64> for Number {
            type Output = Number;
            fn $function(self, other: f64) -> Number { $operator::$function(self, Number::exact(other)) }
        }
        impl $operator<Number> for f64 {
            type Output = Number;
            fn $function(self, other: Number) -> Number { $operator::$function(Number::exact(self), other) }
        }
    )*};
}

with_exact! { Add add; Sub sub; Mul mul; Div div; }
