//! The two float types, and the few things the network asks of them.

use core::fmt::Debug;
use core::ops::{Add, Div, Mul, Sub};

use crate::level::Level;
use crate::task::{Affine, Product, Slope, Sum};

/// The loops of the two passes, written out for both types in `product.rs`: they are compiled once, in this crate and
/// at its level of optimisation, whoever calls the network. No other type has them.
pub trait Loops: Sized {
    /// Forward, through one layer.
    fn affine(level: Level, product: Product<'_, Self, Affine>);
    /// Backward, to a layer's weights.
    fn gradient(level: Level, product: Product<'_, Self, Sum>);
    /// Backward, to the layer below.
    fn slope(level: Level, product: Product<'_, Self, Slope>);
    /// Adds whole rows to `sums`, one by one.
    fn add_rows(sums: &mut [Self], rows: &[Self]);
    /// [`largest`](crate::element::largest)
    fn largest(logits: &[Self]) -> (usize, Self);
    /// [`cross_entropy`](crate::element::cross_entropy)
    fn cross_entropy(logits: &[Self], label: usize) -> Self;
    /// [`cross_entropy_slope`](crate::element::cross_entropy_slope)
    fn cross_entropy_slope(logits: &mut [Self], label: usize, batch: Self) -> Self;
}

/// `f32` or `f64`.
///
/// The operators are IEEE 754's, rounded once each. Exponential and logarithm are [`libm`]'s by path,
/// since another library's may round differently; they are named so because with `std` a plain `exp`
/// on an `f32` would silently be the platform's.
///
/// ```
/// use presam_model::Scalar;
///
/// assert_eq!(f32::ZERO.libm_exp(), f32::ONE);
/// assert_eq!(f64::from_count(64).libm_log(), libm::log(64.0));
/// ```
pub trait Scalar:
    Loops
    + Copy
    + Debug
    + Default
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// `+0.0`.
    const ZERO: Self;
    /// `1.0`.
    const ONE: Self;

    /// e to the power `self`.
    fn libm_exp(self) -> Self;

    /// The natural logarithm.
    fn libm_log(self) -> Self;

    /// A count as a number: rounded to nearest, exact up to 2^24 (`f32`) or 2^53 (`f64`).
    fn from_count(count: usize) -> Self;

    /// The same number: exact for both types.
    fn from_f32(value: f32) -> Self;
}

impl Scalar for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn libm_exp(self) -> Self {
        libm::expf(self)
    }

    fn libm_log(self) -> Self {
        libm::logf(self)
    }

    fn from_count(count: usize) -> Self {
        count as Self
    }

    fn from_f32(value: f32) -> Self {
        value
    }
}

impl Scalar for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn libm_exp(self) -> Self {
        libm::exp(self)
    }

    fn libm_log(self) -> Self {
        libm::log(self)
    }

    fn from_count(count: usize) -> Self {
        count as Self
    }

    fn from_f32(value: f32) -> Self {
        Self::from(value)
    }
}
