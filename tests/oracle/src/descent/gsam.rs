//! GSAM: g~ - alpha (g - c g~), c = <g, g~> / <g~, g~>: the part of g across g~ is descended against.

use super::{check, combine, unchanged};
use crate::format::{BoundedVector, Format};
use crate::segment::ShapeError;
use crate::sum::dot;

/// The final gradient; g~ itself where g~ is zero.
///
/// # Errors
/// Lists of different shapes.
pub fn gsam(
    grads: &[Vec<f64>],
    perturbed_grads: &[Vec<f64>],
    alpha: f64,
    format: Format,
) -> Result<Vec<BoundedVector>, ShapeError> {
    check(grads, perturbed_grads, "perturbed_grads")?;
    let square = dot(perturbed_grads, perturbed_grads);
    if square.value == 0.0 {
        return Ok(unchanged(perturbed_grads));
    }
    let c = dot(grads, perturbed_grads) / square;
    Ok(combine(grads, perturbed_grads, format, |g, p| p - alpha * (g - c * p)))
}
