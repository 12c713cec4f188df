//! What some methods make of the two gradients g (at w) and g~ (at the perturbed w) before or after the base step.
//!
//! Lists hold one vector per segment; dot products and norms run over all of them. Squares of gradients must be
//! representable.

pub mod gsam;
pub mod look_sam;
pub mod saner;
pub mod wsam;

use crate::format::{BoundedVector, Format};
use crate::number::Number;
use crate::segment::ShapeError;

/// Both lists must have the same segments.
fn check(expected: &[Vec<f64>], found: &[Vec<f64>], slice: &'static str) -> Result<(), ShapeError> {
    ShapeError::unless_equal(0, slice, expected.len(), found.len())?;
    let mut pairs = expected.iter().zip(found).enumerate();
    pairs.try_for_each(|(index, (a, b))| ShapeError::unless_equal(index, slice, a.len(), b.len()))
}

/// f(a_i, b_i) for every element.
fn combine(
    a: &[Vec<f64>],
    b: &[Vec<f64>],
    format: Format,
    f: impl Fn(Number, Number) -> Number,
) -> Vec<BoundedVector> {
    let segment = |a: &[f64], b: &[f64]| -> Vec<Number> {
        a.iter().zip(b).map(|(x, y)| f(Number::exact(*x), Number::exact(*y))).collect()
    };
    a.iter().zip(b).map(|(a, b)| format.bounded_vector(&segment(a, b))).collect()
}

/// The list as it is.
fn unchanged(list: &[Vec<f64>]) -> Vec<BoundedVector> {
    list.iter().map(|x| BoundedVector::copied(x)).collect()
}
