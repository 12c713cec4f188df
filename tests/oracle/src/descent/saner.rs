//! SANER: r = g~ / g, m = 1 where 0 < r < 1 and else 0; the gradient (1 - alpha m) g~.
//!
//! Luong, Nguyen, Tran, Tran 2026 (arXiv 2411.17132). No constant is added to g: where it is zero, r is no number
//! between 0 and 1.

use super::{check, combine};
use crate::format::{BoundedVector, Format};
use crate::number::Number;
use crate::segment::ShapeError;

/// The final gradient. Ratios must be representable.
///
/// # Errors
/// Lists of different shapes.
pub fn saner(
    grads: &[Vec<f64>],
    perturbed_grads: &[Vec<f64>],
    alpha: f64,
    format: Format,
) -> Result<Vec<BoundedVector>, ShapeError> {
    check(grads, perturbed_grads, "perturbed_grads")?;
    Ok(combine(grads, perturbed_grads, format, |g, p| {
        let ratio = p.value / g.value;
        let m = if 0.0 < ratio && ratio < 1.0 { Number::ONE } else { Number::ZERO };
        (1.0 - alpha * m) * p
    }))
}
