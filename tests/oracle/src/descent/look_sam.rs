//! LookSAM: the part of g~ across g, kept from every k-th step and used again in the steps between.

use super::{check, combine, unchanged};
use crate::format::{BoundedVector, Format};
use crate::segment::ShapeError;
use crate::sum::{dot, norm_of};

/// g_v = g~ - (<g, g~> / <g, g>) g; g~ itself where g is zero.
///
/// # Errors
/// Lists of different shapes.
pub fn direction(
    grads: &[Vec<f64>],
    perturbed_grads: &[Vec<f64>],
    format: Format,
) -> Result<Vec<BoundedVector>, ShapeError> {
    check(grads, perturbed_grads, "perturbed_grads")?;
    let square = dot(grads, grads);
    if square.value == 0.0 {
        return Ok(unchanged(perturbed_grads));
    }
    let c = dot(grads, perturbed_grads) / square;
    Ok(combine(grads, perturbed_grads, format, |g, p| p - c * g))
}

/// g + alpha (||g|| / ||g_v||) g_v in a step without second gradient; g itself where g_v is zero.
///
/// # Errors
/// Lists of different shapes.
pub fn reuse(
    grads: &[Vec<f64>],
    directions: &[Vec<f64>],
    alpha: f64,
    format: Format,
) -> Result<Vec<BoundedVector>, ShapeError> {
    check(grads, directions, "directions")?;
    let norm = norm_of(directions);
    if norm.value == 0.0 {
        return Ok(unchanged(grads));
    }
    let factor = alpha * (norm_of(grads) / norm);
    Ok(combine(grads, directions, format, |g, v| g + factor * v))
}
