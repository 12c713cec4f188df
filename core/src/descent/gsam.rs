//! GSAM, surrogate gap guided SAM: also climbs down the gap between the perturbed and the plain loss.
//!
//! ```text
//! g_perp = g - ( <g, g~> / <g~, g~> ) g~
//! gradient = g~ - alpha g_perp
//! ```
//!
//! No guard is added to <g~, g~>: where it is zero there is no mix, and says so (the authors' code adds
//! 1e-12 to each norm, which shortens c for gradients near it).
//! The ascent is SAM's or ASAM's; rho follows the learning rate ([`gsam_rho`](crate::gsam_rho)).
//! Source: Zhuang et al. 2022 (arXiv 2203.08065); code juntang-zhuang/GSAM and big_vision (alpha 0.6
//! for ViT, 0.4 in kozistr/pytorch_optimizer).

use super::pair::{GradientMix, over_slices, projection};
use crate::error::{Error, check_nonnegative};
use crate::norm::{Part, PartialNorm};
use crate::outcome::Outcome;
use crate::real::Real;

/// GSAM's descent helper.
///
/// ```
/// use presam::{Cpu, Gsam, PartialNorm};
///
/// let (g, mut perturbed_grads) = ([1.0f32, 1.0], [2.0, 0.0]);
/// let cpu = Cpu::plain();
/// let mut sums = PartialNorm::new();
/// cpu.accumulate_pair(&perturbed_grads, &g, &mut sums)?; // g~ first
/// let (mix, _) = Gsam::new(0.5)?.arm(&sums)?;
/// cpu.mix_gradients(mix, &g, &mut perturbed_grads)?;
/// assert_eq!(perturbed_grads, [2.0, -0.5]); // g_perp = (0, 1)
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Gsam<R> {
    alpha: R,
}

impl<R: Real> Gsam<R> {
    /// GSAM with weight `alpha` on the orthogonal part.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `alpha` is finite and >= 0.
    pub fn new(alpha: R) -> Result<Self, Error> {
        Ok(Self { alpha: check_nonnegative("alpha", alpha)? })
    }

    /// Arms the mix from the sums of `accumulate_pair(perturbed_grads, grads, ..)` over all segments.
    ///
    /// A non-finite norm of g~ or <g, g~> (the product has no range classes: `f32` norms of about 1e19 and
    /// more are too large), a share of one in the other beyond the range, a zero norm, or one so small that the
    /// product loses digits (`f32`: below about 1e-15) leaves g~ as it is, and says so.
    ///
    /// # Errors
    /// [`Error::NotFromZero`] where `sums` is a later part.
    pub fn arm(self, sums: &PartialNorm<R>) -> Result<(GsamMix<R>, Outcome), Error> {
        Ok(self.arm_total(sums.total()?))
    }

    /// As [`arm`](Gsam::arm), from the root of the tree: for drivers that fold it themselves.
    pub fn arm_total(self, total: Part<R>) -> (GsamMix<R>, Outcome) {
        let (ratio, outcome) = projection(total);
        let alpha = R::select(outcome == Outcome::Finite, self.alpha, R::ZERO);
        (GsamMix { alpha, ratio }, outcome)
    }
}

/// GSAM armed for one step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct GsamMix<R> {
    alpha: R,
    ratio: R,
}

impl<R: Real> GradientMix<R> for GsamMix<R> {
    #[inline(always)]
    fn mix(self, grad: R, perturbed_grad: R) -> R {
        let mixed = perturbed_grad - self.alpha * (grad - self.ratio * perturbed_grad);
        R::select(self.alpha == R::ZERO, perturbed_grad, mixed)
    }

    over_slices!(GsamMix);
}
