//! WSAM, weighted SAM: sharpness as a weighted regularisation term.
//!
//! ```text
//! alpha = gamma / (1 - gamma)
//! coupled:    gradient = alpha g~ + (1 - alpha) g
//! decoupled:  base step with g, then w <- w - learning_rate alpha (g~ - g)
//! ```
//!
//! The decoupled base step takes g, so that a session judges g and never sees g~: sum g~ by
//! [`Cpu::accumulate_gradient`] first, and leave the step out where that norm is not finite.
//!
//! Source: Yue, Jiang, Ye, Gao, Liu, Zhang 2023 (arXiv 2305.15817); code intelligent-machine-learning/atorch
//! (gamma 0.9, decoupled).

use super::pair::{GradientMix, over_slices};
use crate::cpu::Cpu;
use crate::error::{Error, check_decay, check_length, check_nonnegative};
use crate::pass::ElementMap;
use crate::real::{Real, written};
use crate::slices::Writes;

/// WSAM's descent helper; as a [`GradientMix`] it is the coupled form.
///
/// ```
/// use presam::{GradientMix, Wsam};
///
/// let wsam = Wsam::new(0.75f32)?; // alpha = 3
/// assert_eq!(wsam.mix(1.0, 2.0), 4.0);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Wsam<R> {
    alpha: R,
}

impl<R: Real> Wsam<R> {
    /// WSAM with weight `gamma` in [0, 1) on sharpness; 0.5 is SAM.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] outside that range.
    pub fn new(gamma: R) -> Result<Self, Error> {
        let gamma = check_decay("gamma", gamma)?;
        Ok(Self { alpha: gamma / (R::ONE - gamma) })
    }

    /// WSAM with weight `alpha` on the perturbed gradient; 1 is SAM. Papers' gamma 0.9 is alpha 9, which
    /// [`new`](Wsam::new)`(0.9)` misses by the rounding of gamma (`f32`: 8.999998).
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `alpha` is finite and >= 0.
    ///
    /// ```
    /// use presam::{GradientMix, Wsam};
    ///
    /// assert_eq!(Wsam::with_alpha(9.0f32)?.mix(1.0, 2.0), 10.0);
    /// # Ok::<(), presam::Error>(())
    /// ```
    pub fn with_alpha(alpha: R) -> Result<Self, Error> {
        Ok(Self { alpha: check_nonnegative("alpha", alpha)? })
    }

    /// The decoupled form's correction, after the base step with g at the same `learning_rate`.
    #[must_use]
    pub fn correction(self, learning_rate: R) -> WsamCorrection<R> {
        WsamCorrection { factor: learning_rate * self.alpha }
    }
}

impl<R: Real> GradientMix<R> for Wsam<R> {
    #[inline(always)]
    fn mix(self, grad: R, perturbed_grad: R) -> R {
        self.alpha * perturbed_grad + (R::ONE - self.alpha) * grad
    }

    over_slices!(Wsam);
}

/// w <- w - learning_rate alpha (g~ - g)
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct WsamCorrection<R> {
    factor: R,
}

impl<R: Real> ElementMap<R, 2, 0, 0> for WsamCorrection<R> {
    #[inline(always)]
    fn apply(self, param: R, reads: [R; 2], memory: [R; 0], _: [R; 0]) -> (R, [R; 0]) {
        let [grad, perturbed_grad] = reads;
        (param - self.factor * (perturbed_grad - grad), memory)
    }
}

written! {
    Correct(cpu: Cpu, correction: WsamCorrection<R>, params: &'a mut [R], reads: [&'a [R]; 2]) -> () {
        cpu.map(correction, Writes { out: params, reads, memory: [], inputs: [] });
    }
}

impl Cpu {
    /// Applies decoupled WSAM's correction to one segment.
    ///
    /// | slice | length | access |
    /// | --- | --- | --- |
    /// | `params` w | n | read and written |
    /// | `grads` g, `perturbed_grads` g~ | n | read |
    ///
    /// ```
    /// use presam::{Cpu, Wsam};
    ///
    /// let mut w = [1.0f32];
    /// Cpu::plain().correct(Wsam::new(0.5)?.correction(0.5), &mut w, &[1.0], &[2.0])?;
    /// assert_eq!(w, [0.5]);
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] where a slice is not as long as `params`; nothing is written.
    pub fn correct<R: Real>(
        self,
        correction: WsamCorrection<R>,
        params: &mut [R],
        grads: &[R],
        perturbed_grads: &[R],
    ) -> Result<(), Error> {
        check_length("grads", params.len(), grads.len())?;
        check_length("perturbed_grads", params.len(), perturbed_grads.len())?;
        R::written::<Correct>((self, correction, params, [grads, perturbed_grads]));
        Ok(())
    }
}
