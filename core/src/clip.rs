//! Global-norm clipping of the second gradient.

use crate::error::{Error, check};
use crate::norm::{Part, PartialNorm, ScaledNorm};
use crate::outcome::Outcome;
use crate::real::Real;

/// The factor that brings a gradient of the measured norm down to `max_norm`, and what the numbers did.
///
/// ```text
/// factor = max_norm / N   where N > max_norm,   else 1
/// ```
///
/// No guard is added to N, so a gradient within the limit keeps every bit. torch's `clip_grad_norm_` has
/// max_norm / (N + 1e-6): for its numbers hand that, where it is below 1, to [`descend`](crate::Cpu::descend)
/// or, before a session's step, into the gradients.
/// With `sums` of [`accumulate_gradient`](crate::Cpu::accumulate_gradient)`(factor, ..)`, hand the
/// product of both factors to [`descend`](crate::Cpu::descend). [`Outcome::NonFinite`]: skip the descent.
///
/// ```
/// use presam::{Cpu, Outcome, PartialNorm, clip_factor};
///
/// let mut sums = PartialNorm::new();
/// Cpu::plain().accumulate_gradient(1.0f32, &[3.0, 4.0], &mut sums)?;
/// assert_eq!(clip_factor(&sums, 2.5)?, (0.5, Outcome::Finite));
/// assert_eq!(clip_factor(&sums, 5.0)?, (1.0, Outcome::Finite));
/// # Ok::<(), presam::Error>(())
/// ```
///
/// # Errors
/// [`Error::Hyperparameter`] unless `max_norm` > 0 (infinity: only measure);
/// [`Error::NotFromZero`] where `sums` is a later part.
pub fn clip_factor<R: Real>(sums: &PartialNorm<R>, max_norm: R) -> Result<(R, Outcome), Error> {
    let max_norm = check("max_norm", "a number > 0", max_norm, max_norm > R::ZERO)?;
    Ok(clip_factor_of(sums.total()?, max_norm))
}

/// As [`clip_factor`], from the root of the tree and a `max_norm` that is known to be > 0: for drivers
/// that fold it themselves.
pub fn clip_factor_of<R: Real>(total: Part<R>, max_norm: R) -> (R, Outcome) {
    if !total.sum.is_finite() {
        return (R::ONE, Outcome::NonFinite);
    }
    if total.sum == R::ZERO {
        return (R::ONE, Outcome::ZeroNorm);
    }
    let norm = ScaledNorm::of(total);
    // In the norm's own unit, where a norm of 1e30 is still a number.
    let limit = max_norm * norm.inverse_unit();
    let factor = R::select(norm.root > limit, max_norm / norm.root * norm.inverse_unit(), R::ONE);
    (factor, Outcome::Finite)
}
