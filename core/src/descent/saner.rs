//! SANER: shrinks those components of the second gradient that the perturbation made smaller.
//!
//! ```text
//! gradient = (1 - alpha m) g~,   m = 1 where 0 < g~ / g < 1, else 0
//! ```
//!
//! In these components, the authors find, gradients of wrong labels dominate. No sum is needed, so it stands
//! on any ascent. The ratio is compared and never formed: where g is 0 nothing is shrunk (the authors' code
//! adds 1e-8 to g first). `alpha` is the paper's, the share that is taken off; the argument `alpha` of the
//! authors' code is what is left, 1 - alpha.
//!
//! Source: Luong, Nguyen, Tran, Tran 2026 (arXiv 2411.17132); code lhchau/saner: alpha 0.5, which grows from
//! 0 over the first 50 of 200 epochs, rho 0.1. The paper's grid for alpha could not be had.

use super::pair::{GradientMix, over_slices};
use crate::error::{Error, check_fraction};
use crate::real::Real;

/// SANER's descent helper.
///
/// ```
/// use presam::{Cpu, Saner, Schedule};
///
/// let (g, mut perturbed_grads) = ([4.0f32, -4.0, 4.0, 0.0], [2.0, -6.0, -2.0, 2.0]);
/// Cpu::plain().mix_gradients(Saner::new(0.5)?, &g, &mut perturbed_grads)?;
/// assert_eq!(perturbed_grads, [1.0, -6.0, -2.0, 2.0]); // ratios 1/2, 3/2, -1/2 and none
///
/// // The authors' warm-up: made anew in each epoch.
/// let alpha = Schedule::constant(0.5f32)?.with_warm_up(50);
/// let in_epoch_10 = Saner::new(alpha.at(9))?;
/// assert_eq!(in_epoch_10, Saner::new(0.1)?);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Saner<R> {
    /// 1 - alpha
    kept: R,
}

impl<R: Real> Saner<R> {
    /// SANER that takes the share `alpha` in [0, 1] off; 0 leaves every bit of the second gradient.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] outside that range.
    pub fn new(alpha: R) -> Result<Self, Error> {
        Ok(Self { kept: R::ONE - check_fraction("alpha", alpha)? })
    }
}

impl<R: Real> GradientMix<R> for Saner<R> {
    #[inline(always)]
    fn mix(self, grad: R, perturbed_grad: R) -> R {
        let upward = (R::ZERO < perturbed_grad) & (perturbed_grad < grad);
        let downward = (grad < perturbed_grad) & (perturbed_grad < R::ZERO);
        R::select(upward | downward, self.kept * perturbed_grad, perturbed_grad)
    }

    over_slices!(Saner);
}
