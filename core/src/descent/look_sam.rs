//! LookSAM: the sharp part of SAM's gradient is reused for some steps that take one gradient only.
//!
//! ```text
//! every k-th step:   g_v = g~ - ( <g, g~> / <g, g> ) g      kept, one float per parameter; descend with g~
//! other steps:       gradient = g + alpha ( ||g|| / ||g_v|| ) g_v
//! ```
//!
//! Norms are over the whole model (as in MarlonBecker/MSAM and johnjaejunlee95; two other codes take
//! them per tensor). Source: Liu, Mai, Chen, Hsieh, You 2022 (arXiv 2203.02714); k 5 or 10, alpha 0.7.

use super::pair::{GradientMix, over_slices, projection};
use crate::error::{Error, check_nonnegative};
use crate::norm::{Part, PartialNorm, ScaledNorm};
use crate::outcome::Outcome;
use crate::real::Real;

/// LookSAM's descent helper.
///
/// ```
/// use presam::{Cpu, LookSam, PartialNorm};
///
/// let (look, cpu) = (LookSam::new(0.5f32)?, Cpu::plain());
/// // A SAM step: g_v from g and g~. The kept slice starts as a copy of g~.
/// let (g, perturbed_grads) = ([2.0, 0.0], [2.0, 4.0]);
/// let mut kept = perturbed_grads;
/// let mut sums = PartialNorm::new();
/// cpu.accumulate_pair(&g, &perturbed_grads, &mut sums)?; // g first
/// cpu.mix_gradients(look.split(&sums)?.0, &g, &mut kept)?;
/// assert_eq!(kept, [0.0, 4.0]);
/// // A later step: no second gradient. The mix is written over a copy of g_v.
/// let mut gradient = kept;
/// let (mut norm, mut kept_norm) = (PartialNorm::new(), PartialNorm::new());
/// cpu.accumulate_gradient(1.0, &g, &mut norm)?;
/// cpu.accumulate_gradient(1.0, &kept, &mut kept_norm)?;
/// cpu.mix_gradients(look.reuse(&norm, &kept_norm)?.0, &g, &mut gradient)?;
/// assert_eq!(gradient, [2.0, 1.0]);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct LookSam<R> {
    alpha: R,
}

impl<R: Real> LookSam<R> {
    /// LookSAM with weight `alpha` on the reused part.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless `alpha` is finite and >= 0.
    pub fn new(alpha: R) -> Result<Self, Error> {
        Ok(Self { alpha: check_nonnegative("alpha", alpha)? })
    }

    /// The mix that turns (g, g~) into g_v, from the sums of `accumulate_pair(grads, perturbed_grads, ..)`.
    ///
    /// A non-finite norm of g or <g, g~> (the product has no range classes: `f32` norms of about 1e19 and
    /// more are too large), a share of one in the other beyond the range, a zero norm, or one so small that the
    /// product loses digits (`f32`: below about 1e-15) leaves g~ as it is, every bit of it, and says so.
    ///
    /// # Errors
    /// [`Error::NotFromZero`] where `sums` is a later part.
    pub fn split(self, sums: &PartialNorm<R>) -> Result<(LookSamSplit<R>, Outcome), Error> {
        Ok(self.split_total(sums.total()?))
    }

    /// As [`split`](LookSam::split), from the root of the tree: for drivers that fold it themselves.
    pub fn split_total(self, total: Part<R>) -> (LookSamSplit<R>, Outcome) {
        let (ratio, outcome) = projection(total);
        (LookSamSplit { ratio }, outcome)
    }

    /// The mix that turns (g, g_v) into the gradient of a step without a second one.
    ///
    /// Where ||g_v|| is zero, a norm is not finite, or alpha ||g|| / ||g_v|| leaves the range at either end
    /// ([`Outcome::NonFinite`], also where it would vanish), the gradient is g.
    ///
    /// # Errors
    /// [`Error::NotFromZero`] where a sum is a later part.
    pub fn reuse(
        self,
        grads: &PartialNorm<R>,
        kept: &PartialNorm<R>,
    ) -> Result<(LookSamReuse<R>, Outcome), Error> {
        Ok(self.reuse_total(grads.total()?, kept.total()?))
    }

    /// As [`reuse`](LookSam::reuse), from the roots of both trees.
    pub fn reuse_total(self, grads: Part<R>, kept: Part<R>) -> (LookSamReuse<R>, Outcome) {
        let (grads, kept) = (ScaledNorm::of(grads), ScaledNorm::of(kept));
        let none = LookSamReuse { factor: R::ZERO };
        if !grads.root.is_finite() || !kept.root.is_finite() {
            return (none, Outcome::NonFinite);
        }
        if kept.root == R::ZERO {
            return (none, Outcome::ZeroNorm);
        }
        if self.alpha == R::ZERO {
            return (none, Outcome::Finite);
        }
        let ratio = grads.root / kept.root;
        // In one class the units cancel; multiplied one after the other they could leave the range.
        let same = grads.class == kept.class;
        let ratio = if same { ratio } else { ratio * grads.unit() * kept.inverse_unit() };
        let factor = self.alpha * ratio;
        let vanished = factor == R::ZERO && grads.root != R::ZERO;
        let stands = factor.is_finite() && !vanished;
        let outcome = if stands { Outcome::Finite } else { Outcome::NonFinite };
        (LookSamReuse { factor: R::select(stands, factor, R::ZERO) }, outcome)
    }
}

/// g~ - ratio g
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct LookSamSplit<R> {
    ratio: R,
}

impl<R: Real> GradientMix<R> for LookSamSplit<R> {
    #[inline(always)]
    fn mix(self, grad: R, perturbed_grad: R) -> R {
        R::select(self.ratio == R::ZERO, perturbed_grad, perturbed_grad - self.ratio * grad)
    }

    over_slices!(LookSamSplit);
}

/// g + factor g_v, where g_v stands in the place of the second gradient
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct LookSamReuse<R> {
    factor: R,
}

impl<R: Real> GradientMix<R> for LookSamReuse<R> {
    #[inline(always)]
    fn mix(self, grad: R, kept: R) -> R {
        R::select(self.factor == R::ZERO, grad, grad + self.factor * kept)
    }

    over_slices!(LookSamReuse);
}
