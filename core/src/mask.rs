//! Masks for [`Ssam`](crate::Ssam) and [`MaskedSam`](crate::MaskedSam): the k highest scores of a
//! whole model, segment by segment, without sorting and without memory of its own.

use crate::error::{Error, check_fraction, check_length};
use crate::real::Real;

/// Selects the `keep` highest scores over all segments; equal scores go to the lower index.
///
/// The bits of non-negative numbers are ordered like the numbers, so the threshold is found byte by
/// byte: [`TopK::passes`] times over all segments, then once more to write the mask. A score that is
/// negative, -0.0 or NaN counts as 0.
///
/// Cost: 4 counting passes for `f32` (8 for `f64`) over the scores and 1 writing pass; 2 KiB of
/// counters, no floats per parameter beside the scores themselves.
///
/// SSAM-F (Mi et al. 2022): the scores are sums of squared single-example gradients and `keep` is
/// [`kept_count`]`(n, sparsity)`.
///
/// ```
/// use presam::TopK;
///
/// let scores = [[0.5f32, 3.0], [3.0, 1.0]]; // two segments
/// let mut top = TopK::new(2);
/// for _ in 0..TopK::<f32>::passes() {
///     scores.iter().for_each(|segment| top.count(segment));
///     top.narrow();
/// }
/// let mut mask = [[0.0f32; 2]; 2];
/// for (scores, mask) in scores.iter().zip(&mut mask) {
///     top.write_mask(scores, mask)?;
/// }
/// assert_eq!(mask, [[0.0, 1.0], [1.0, 0.0]]);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TopK<R> {
    /// How many are still to be found below the prefix.
    wanted: u64,
    /// The leading bytes of the threshold, in place.
    prefix: u64,
    /// The bits that the prefix fixes.
    fixed: u64,
    counts: [u64; 256],
    scalar: core::marker::PhantomData<R>,
}

impl<R: Real> TopK<R> {
    /// The search for the `keep` highest scores, before the first pass.
    #[must_use]
    pub const fn new(keep: u64) -> Self {
        Self {
            wanted: keep,
            prefix: 0,
            fixed: 0,
            counts: [0; 256],
            scalar: core::marker::PhantomData,
        }
    }

    /// How often all segments are counted.
    #[must_use]
    pub const fn passes() -> usize {
        size_of::<R>()
    }

    /// The lowest bit of the byte that this pass finds.
    fn shift(&self) -> u32 {
        let bits = 8 * size_of::<R>() as u32;
        bits.saturating_sub(self.fixed.count_ones() + 8)
    }

    /// Counts one segment.
    pub fn count(&mut self, scores: &[R]) {
        let shift = self.shift();
        for &score in scores {
            let key = key(score);
            if key & self.fixed == self.prefix
                && let Some(count) = self.counts.get_mut((key >> shift) as usize & 255)
            {
                *count += 1;
            }
        }
    }

    /// Ends a pass: fixes one more byte of the threshold.
    pub fn narrow(&mut self) {
        let shift = self.shift();
        let mut byte = 0;
        for (value, &count) in (0u32..256).zip(&self.counts).rev() {
            byte = u64::from(value);
            if count >= self.wanted || value == 0 {
                break;
            }
            self.wanted -= count;
        }
        self.prefix |= byte << shift;
        self.fixed |= 255 << shift;
        self.counts = [0; 256];
    }

    /// Writes 1 where a score is selected and 0 elsewhere. Call it for every segment, in order: scores
    /// equal to the threshold are taken until enough are found.
    ///
    /// # Errors
    /// [`Error::Length`] where the lengths differ; nothing is written.
    pub fn write_mask(&mut self, scores: &[R], mask: &mut [R]) -> Result<(), Error> {
        self.select(scores, mask, |selected, _| R::select(selected, R::ONE, R::ZERO))
    }

    /// Sets the mask to 1 where a score is selected and leaves the rest: a growing mask's second half.
    ///
    /// # Errors
    /// [`Error::Length`] where the lengths differ; nothing is written.
    pub fn grow_mask(&mut self, scores: &[R], mask: &mut [R]) -> Result<(), Error> {
        self.select(scores, mask, |selected, old| R::select(selected, R::ONE, old))
    }

    fn select(
        &mut self,
        scores: &[R],
        mask: &mut [R],
        value: impl Fn(bool, R) -> R,
    ) -> Result<(), Error> {
        check_length("mask", scores.len(), mask.len())?;
        for (&score, slot) in scores.iter().zip(mask) {
            let key = key(score);
            let tied = key == self.prefix && self.wanted > 0;
            if tied {
                self.wanted -= 1;
            }
            *slot = value(key > self.prefix || tied, *slot);
        }
        Ok(())
    }
}

/// What is not a positive score counts as 0.
fn cleaned<R: Real>(score: R) -> R {
    R::select(score > R::ZERO, score, R::ZERO)
}

/// The bits of a score as a number of the same order.
fn key<R: Real>(score: R) -> u64 {
    cleaned(score).bits()
}

/// int(n (1 - sparsity)): how many weights SSAM perturbs.
///
/// # Errors
/// [`Error::Hyperparameter`] unless 0 <= `sparsity` <= 1.
///
/// ```
/// assert_eq!(presam::kept_count(10, 0.25), Ok(7));
/// ```
pub fn kept_count(n: u64, sparsity: f64) -> Result<u64, Error> {
    check_fraction("sparsity", sparsity)?;
    Ok((n as f64 * (1.0 - sparsity)) as u64)
}

/// SSAM-D: some masked-in weights are dropped, as many masked-out ones grow in their place.
///
/// ```text
/// rate = drop_rate (1 + cos(pi (epoch - first) / (last - first))) / 2
/// kept  = top int((n - n s)(1 - rate))      of (death score + 1e-7) mask
/// grown = top int(min((n - n s) rate, n s)) of (growth score + 1e-7) (1 - mask)
/// ```
///
/// Both scores are taken against the OLD mask: [`DynamicMask::death_scores`] and
/// [`growth_scores`](DynamicMask::growth_scores) write them into the caller's scratch, two [`TopK`]
/// searches select, `write_mask` with the first and [`TopK::grow_mask`] with the second.
/// Scores: |w|, |g| or the caller's random numbers. Source: Mi et al. 2022 (arXiv 2210.05177);
/// code Mi-Peng/SSAM (drop rate 0.5).
///
/// ```
/// use presam::{DynamicMask, TopK};
///
/// let dynamic = DynamicMask::new(4, 0.5, 0.5)?; // 4 weights, half of them masked out
/// let (kept, grown) = dynamic.counts(0.0);
/// assert_eq!((kept, grown), (1, 1));
/// let old = [1.0f32, 1.0, 0.0, 0.0];
/// let death = DynamicMask::death_scores(&[0.1, 0.9, 0.5, 0.5], &old);
/// let growth = DynamicMask::growth_scores(&[0.5, 0.5, 0.2, 0.3], &old);
/// let scores: Vec<f32> = death.collect();
/// let grown_scores: Vec<f32> = growth.collect();
/// let mut mask = old;
/// let select = |keep, scores: &[f32]| {
///     let mut top = TopK::new(keep);
///     for _ in 0..TopK::<f32>::passes() {
///         top.count(scores);
///         top.narrow();
///     }
///     top
/// };
/// select(kept, &scores).write_mask(&scores, &mut mask)?;
/// select(grown, &grown_scores).grow_mask(&grown_scores, &mut mask)?;
/// assert_eq!(mask, [0.0, 1.0, 0.0, 1.0]);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DynamicMask {
    n: u64,
    sparsity: f64,
    drop_rate: f64,
}

impl DynamicMask {
    /// For `n` weights of which the share `sparsity` is masked out, with the initial `drop_rate`.
    ///
    /// # Errors
    /// [`Error::Hyperparameter`] unless both shares are in [0, 1].
    pub fn new(n: u64, sparsity: f64, drop_rate: f64) -> Result<Self, Error> {
        check_fraction("sparsity", sparsity)?;
        check_fraction("drop_rate", drop_rate)?;
        Ok(Self { n, sparsity, drop_rate })
    }

    /// How many weights are kept and how many grown after `progress` (0 to 1, clamped) of the schedule.
    #[must_use]
    pub fn counts(&self, progress: f64) -> (u64, u64) {
        // Written so that a NaN counts as the end of the schedule, where nothing is dropped.
        let progress = if progress < 1.0 { f64::max(progress, 0.0) } else { 1.0 };
        let rate = self.drop_rate * (1.0 + libm::cos(core::f64::consts::PI * progress)) / 2.0;
        let n = self.n as f64;
        let masked_out = n * self.sparsity;
        let kept = ((n - masked_out) * (1.0 - rate)) as u64;
        let grown = f64::min((n - masked_out) * rate, masked_out) as u64;
        (kept, grown)
    }

    /// (score + 1e-7) mask, for one segment.
    pub fn death_scores<'a, R: Real>(
        scores: &'a [R],
        mask: &'a [R],
    ) -> impl Iterator<Item = R> + 'a {
        let floor = R::from_f64(1e-7);
        scores.iter().zip(mask).map(move |(&score, &mask)| (cleaned(score) + floor) * mask)
    }

    /// (score + 1e-7) (1 - mask), for one segment.
    pub fn growth_scores<'a, R: Real>(
        scores: &'a [R],
        mask: &'a [R],
    ) -> impl Iterator<Item = R> + 'a {
        let floor = R::from_f64(1e-7);
        scores
            .iter()
            .zip(mask)
            .map(move |(&score, &mask)| (cleaned(score) + floor) * (R::ONE - mask))
    }
}
