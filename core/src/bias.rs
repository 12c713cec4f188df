//! What an average that began at 0 lacks: its bias, 1 - decay^t.
//!
//! ```text
//! power <- power decay          once a step, in f64 whatever the scalar
//! bias  =  1 - power            in f64, then rounded to the scalar, once
//! ```
//!
//! 1 - decay^t cancels while decay^t is near 1: from an `f32` product it is off by 7e-6 at decay 0.999 and t = 3.
//! The `f64` product is off by at most t decay^t 2^-53, which is largest at t = 1 / (1 - decay): 4e-14 at decay
//! 0.999, 4e-12 at 0.99999.

use crate::real::Real;

/// decay^t after one more step; it dies like memory ([`Real::flush`]).
#[inline]
pub(crate) fn next_power<R: Real>(power: f64, decay: R) -> f64 {
    (power * decay.to_f64()).flush()
}

/// The bias at decay^t.
#[inline]
pub(crate) fn bias_of<R: Real>(power: f64) -> R {
    R::from_f64(1.0 - power)
}
