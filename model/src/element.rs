//! The expressions of single elements and single rows, written once.
//!
//! The loops of this crate call them; so may a GPU thread, and then gets the same bits.

use crate::scalar::Scalar;

/// `relu(z)`: `+0.0` where `z <= 0`, else `z`.
///
/// Written so that a NaN passes: a network that has lost its numbers must not look healthy.
///
/// ```
/// use presam_model::element::relu;
///
/// assert_eq!(relu(-2.0_f32), 0.0);
/// assert_eq!(relu(-0.0_f32).to_bits(), 0);
/// assert_eq!(relu(1.5_f32), 1.5);
/// assert!(relu(f32::NAN).is_nan());
/// ```
#[inline(always)]
pub fn relu<T: Scalar>(z: T) -> T {
    if z <= T::ZERO { T::ZERO } else { z }
}

/// The slope through a relu: `+0.0` where its result `x` is zero, else the slope `dx` that arrives.
///
/// ```
/// use presam_model::element::relu_slope;
///
/// assert_eq!(relu_slope(0.0_f32, 7.0), 0.0);
/// assert_eq!(relu_slope(0.25_f32, 7.0), 7.0);
/// ```
#[inline(always)]
pub fn relu_slope<T: Scalar>(x: T, dx: T) -> T {
    if x == T::ZERO { T::ZERO } else { dx }
}

/// Index and value of the largest logit, by comparison in index order: ties go to the lower index.
///
/// A NaN is never greater, so one in first place wins; `(0, 0)` for an empty row.
///
/// ```
/// use presam_model::element::largest;
///
/// assert_eq!(largest(&[0.5_f32, 2.0, 2.0]), (1, 2.0));
/// ```
#[inline]
pub fn largest<T: Scalar>(logits: &[T]) -> (usize, T) {
    let first = logits.first().copied().unwrap_or(T::ZERO);
    let mut best = (0, first);
    for (index, &logit) in logits.iter().enumerate() {
        if logit > best.1 {
            best = (index, logit);
        }
    }
    best
}

/// Cross-entropy of one row: `log(Σ_j exp(z_j - max)) - (z_label - max)`, the sum from `+0.0`.
///
/// A label outside the row counts as a logit equal to the maximum; [`Mlp`](crate::Mlp) refuses it.
///
/// ```
/// use presam_model::element::cross_entropy;
///
/// assert_eq!(cross_entropy(&[3.0_f64, 3.0], 1), libm::log(2.0));
/// ```
#[inline]
pub fn cross_entropy<T: Scalar>(logits: &[T], label: usize) -> T {
    let (_, max) = largest(logits);
    let mut sum = T::ZERO;
    for &logit in logits {
        sum = sum + (logit - max).libm_exp();
    }
    sum.libm_log() - (logits.get(label).copied().unwrap_or(max) - max)
}

/// Cross-entropy of one row as [`cross_entropy`] gives it; the logits become its slope in the mean over
/// `batch` rows: `(exp(z_j - max) / Σ_i exp(z_i - max) - [j = label]) / batch`.
///
/// ```
/// use presam_model::element::cross_entropy_slope;
///
/// let mut row = [3.0_f64, 3.0];
/// assert_eq!(cross_entropy_slope(&mut row, 1, 2.0), libm::log(2.0));
/// assert_eq!(row, [0.25, -0.25]);
/// ```
#[inline]
pub fn cross_entropy_slope<T: Scalar>(logits: &mut [T], label: usize, batch: T) -> T {
    let (_, max) = largest(logits);
    let at_label = logits.get(label).copied().unwrap_or(max);
    let mut sum = T::ZERO;
    for logit in logits.iter_mut() {
        *logit = (*logit - max).libm_exp();
        sum = sum + *logit;
    }
    for (index, value) in logits.iter_mut().enumerate() {
        let target = if index == label { T::ONE } else { T::ZERO };
        *value = (*value / sum - target) / batch;
    }
    sum.libm_log() - (at_label - max)
}
