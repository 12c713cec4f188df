//! The passes over both gradients: what a mix needs is summed, then the mix is written.

use crate::cpu::Cpu;
use crate::error::{Error, check_length};
use crate::norm::{Part, PartialNorm, ScaledNorm};
use crate::outcome::Outcome;
use crate::pass::{Difference, ElementMap, Pair, Scaled};
use crate::real::{Real, written};
use crate::slices::{Reads, Writes};

/// A new second gradient from both gradients, armed for one step.
pub trait GradientMix<R: Real>: Copy + Send + Sync {
    /// The gradient that replaces `perturbed_grad`.
    fn mix(self, grad: R, perturbed_grad: R) -> R;

    /// Over slices of one length; core's own are compiled in core.
    #[doc(hidden)]
    fn over(self, cpu: Cpu, grads: &[R], perturbed_grads: &mut [R]) {
        mix_each(cpu, self, grads, perturbed_grads);
    }
}

/// A mix of both gradients, written over the second one; reads the first.
#[derive(Clone, Copy, Debug)]
pub struct Mixed<Mix>(pub Mix);

impl<R: Real, Mix: GradientMix<R>> ElementMap<R, 1, 0, 0> for Mixed<Mix> {
    #[inline(always)]
    fn apply(self, old: R, [grad]: [R; 1], memory: [R; 0], _: [R; 0]) -> (R, [R; 0]) {
        (self.0.mix(grad, old), memory)
    }
}

#[inline(always)]
pub(super) fn mix_each<R: Real, Mix: GradientMix<R>>(
    cpu: Cpu,
    mix: Mix,
    grads: &[R],
    perturbed_grads: &mut [R],
) {
    let (reads, memory, inputs) = ([grads], [], []);
    cpu.map(Mixed(mix), Writes { out: perturbed_grads, reads, memory, inputs });
}

/// [`GradientMix::over`] of a mix of core's.
macro_rules! over_slices {
    ($Mix:ident) => {
        fn over(self, cpu: $crate::cpu::Cpu, grads: &[R], perturbed_grads: &mut [R]) {
            $crate::real::written! {
                Over(cpu: $crate::cpu::Cpu, mix: $Mix<R>, grads: &'a [R], perturbed: &'a mut [R]) -> () {
                    $crate::descent::pair::mix_each(cpu, mix, grads, perturbed);
                }
            }
            R::written::<Over>((cpu, self, grads, perturbed_grads));
        }
    };
}
pub(super) use over_slices;

written! {
    PairSums(cpu: Cpu, first: &'a [R], second: &'a [R], sums: &'a mut PartialNorm<R>) -> Result<(), Error> {
        check_length("second", first.len(), second.len())?;
        cpu.reduce(Pair, Reads { reads: [first, second], memory: [], inputs: [] }, sums)
    }
}

written! {
    DifferenceSum(cpu: Cpu, first: &'a [R], second: &'a [R], sums: &'a mut PartialNorm<R>) -> Result<(), Error> {
        check_length("second", first.len(), second.len())?;
        cpu.reduce(Difference, Reads { reads: [first, second], memory: [], inputs: [] }, sums)
    }
}

written! {
    GradientSum(cpu: Cpu, factor: R, grads: &'a [R], sums: &'a mut PartialNorm<R>) -> Result<(), Error> {
        cpu.reduce(Scaled(factor), Reads { reads: [grads], memory: [], inputs: [] }, sums)
    }
}

impl Cpu {
    /// Adds one segment's ||first||^2 (with range classes) and <first, second> (the statistic,
    /// without) to `sums`, by the norm contract. Read-only, one pass over both slices.
    ///
    /// | slice | length | access |
    /// | --- | --- | --- |
    /// | `first`, `second` | n | read |
    ///
    /// ```
    /// use presam::{Cpu, PartialNorm};
    ///
    /// let mut sums = PartialNorm::new();
    /// Cpu::plain().accumulate_pair(&[1.0f32, 2.0], &[3.0, 4.0], &mut sums)?;
    /// assert_eq!((sums.total()?.sum, sums.total()?.statistic), (5.0, 11.0));
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] where the lengths differ; `sums` is unchanged.
    pub fn accumulate_pair<R: Real>(
        self,
        first: &[R],
        second: &[R],
        sums: &mut PartialNorm<R>,
    ) -> Result<(), Error> {
        R::written::<PairSums>((self, first, second, sums))
    }

    /// Adds one segment's ||first - second||^2 to `sums`, each difference rounded once: how far an ascent moved w, or how
    /// far g~ is from g (0: the second gradient was not taken at the perturbed point). Read-only, one pass over both.
    ///
    /// | slice | length | access |
    /// | --- | --- | --- |
    /// | `first`, `second` | n | read |
    ///
    /// ```
    /// use presam::{Cpu, PartialNorm, ScaledNorm};
    ///
    /// let mut sums = PartialNorm::new();
    /// Cpu::plain().accumulate_difference(&[4.0f32, 1.0], &[1.0, 5.0], &mut sums)?;
    /// assert_eq!(ScaledNorm::of(sums.total()?).value(), 5.0);
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] where the lengths differ; `sums` is unchanged.
    pub fn accumulate_difference<R: Real>(
        self,
        first: &[R],
        second: &[R],
        sums: &mut PartialNorm<R>,
    ) -> Result<(), Error> {
        R::written::<DifferenceSum>((self, first, second, sums))
    }

    /// Adds one segment's || `factor` * `grads` ||^2 to `sums`: what [`clip_factor`](crate::clip_factor)
    /// and the check of the second gradient need. One pass over one slice.
    ///
    /// ```
    /// use presam::{Cpu, PartialNorm};
    ///
    /// let mut sums = PartialNorm::new();
    /// Cpu::plain().accumulate_gradient(0.5f32, &[6.0, 8.0], &mut sums)?;
    /// assert_eq!(sums.total()?.sum, 25.0);
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TooManyChunks`] past the capacity of a partial norm.
    pub fn accumulate_gradient<R: Real>(
        self,
        factor: R,
        grads: &[R],
        sums: &mut PartialNorm<R>,
    ) -> Result<(), Error> {
        R::written::<GradientSum>((self, factor, grads, sums))
    }

    /// Writes the mixed gradient over the second one, segment by segment.
    ///
    /// | slice | length | access |
    /// | --- | --- | --- |
    /// | `grads` g | n | read |
    /// | `perturbed_grads` g~ | n | read and written |
    ///
    /// # Errors
    /// [`Error::Length`] where the lengths differ; nothing is written.
    pub fn mix_gradients<R: Real, Mix: GradientMix<R>>(
        self,
        mix: Mix,
        grads: &[R],
        perturbed_grads: &mut [R],
    ) -> Result<(), Error> {
        check_length("grads", perturbed_grads.len(), grads.len())?;
        mix.over(self, grads, perturbed_grads);
        Ok(())
    }
}

/// <first, second> / ||first||^2, and what the numbers did. The root is divided twice, so the square
/// need not be representable. A dot product has no range classes: where the norm needs the class for
/// small numbers (`f32`: below about 1e-15) the product has lost digits, so the norm counts as zero. Nor has the quotient:
/// one beyond the range is [`Outcome::NonFinite`].
pub(super) fn projection<R: Real>(total: Part<R>) -> (R, Outcome) {
    if !total.sum.is_finite() || !total.statistic.is_finite() {
        return (R::ZERO, Outcome::NonFinite);
    }
    if total.sum == R::ZERO || total.class < 0 {
        return (R::ZERO, Outcome::ZeroNorm);
    }
    let norm = ScaledNorm::of(total);
    let unit = norm.inverse_unit();
    let once = total.statistic * unit / norm.root;
    let ratio = once * unit / norm.root;
    if ratio.is_finite() { (ratio, Outcome::Finite) } else { (R::ZERO, Outcome::NonFinite) }
}
