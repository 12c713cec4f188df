//! Clipping by the global norm.

use crate::format::{Bounded, Format};
use crate::number::Number;
use crate::sum::norm_of;

/// max_norm / N where the norm N exceeds max_norm, else 1 (also where N is NaN: the descent finds it).
#[must_use]
pub fn clip_factor(grads: &[Vec<f64>], max_norm: f64, format: Format) -> Bounded {
    let norm = norm_of(grads);
    let factor = if norm.value > max_norm { max_norm / norm } else { Number::ONE };
    format.bounded(factor)
}
