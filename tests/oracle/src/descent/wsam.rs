//! WSAM: alpha = gamma / (1 - gamma) weighs the sharpness.

use super::{check, combine};
use crate::format::{BoundedVector, Format};
use crate::number::Number;
use crate::segment::ShapeError;

fn alpha(gamma: f64) -> Number {
    gamma / (1.0 - Number::exact(gamma))
}

/// Coupled: the gradient alpha g~ + (1 - alpha) g for the base optimizer.
///
/// # Errors
/// Lists of different shapes.
pub fn coupled(
    grads: &[Vec<f64>],
    perturbed_grads: &[Vec<f64>],
    gamma: f64,
    format: Format,
) -> Result<Vec<BoundedVector>, ShapeError> {
    check(grads, perturbed_grads, "perturbed_grads")?;
    let alpha = alpha(gamma);
    Ok(combine(grads, perturbed_grads, format, |g, p| alpha * p + (1.0 - alpha) * g))
}

/// Decoupled: after the base step with g, w <- w - learning_rate alpha (g~ - g).
///
/// # Errors
/// Lists of different shapes.
pub fn decoupled(
    params: &[Vec<f64>],
    grads: &[Vec<f64>],
    perturbed_grads: &[Vec<f64>],
    gamma: f64,
    learning_rate: f64,
    format: Format,
) -> Result<Vec<BoundedVector>, ShapeError> {
    check(params, grads, "grads")?;
    check(params, perturbed_grads, "perturbed_grads")?;
    let factor = learning_rate * alpha(gamma);
    let segment = |((w, g), p): ((&Vec<f64>, &Vec<f64>), &Vec<f64>)| {
        let elements = w.iter().zip(g).zip(p);
        let numbers: Vec<Number> =
            elements.map(|((w, g), p)| *w - factor * (*p - Number::exact(*g))).collect();
        format.bounded_vector(&numbers)
    };
    Ok(params.iter().zip(grads).zip(perturbed_grads).map(segment).collect())
}
