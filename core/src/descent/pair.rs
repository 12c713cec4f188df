//! The passes over both gradients: what a mix needs is summed, then the mix is written.

use crate::cpu::Cpu;
use crate::element::GradientMix;
use crate::error::{Error, check_length};
use crate::norm::{Part, PartialNorm, ScaledNorm};
use crate::outcome::Outcome;
use crate::pass::{Mixed, Pair, Scaled};
use crate::real::Real;
use crate::slices::{Reads, Writes};

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
        check_length("second", first.len(), second.len())?;
        self.reduce(Pair, Reads { reads: [first, second], memory: [], inputs: [] }, sums)
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
        self.reduce(Scaled(factor), Reads { reads: [grads], memory: [], inputs: [] }, sums)
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
        let (reads, memory, inputs) = ([grads], [], []);
        self.map(Mixed(mix), Writes { out: perturbed_grads, reads, memory, inputs });
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
