//! The norm contract: one order of summation, whatever the SIMD width, thread count or device.
//!
//! ```text
//! chunk     CHUNK = 2048 elements of one segment, the last one shorter; numbered through in segment order
//! lanes     LANES = 128 accumulators from +0.0; lane l takes elements l, l+128, ...; folded by halves
//! chunks    a binary tree over adjacent pairs, padded with neutral zeros
//! ```

use crate::error::{Error, check_length};
use crate::real::Real;

/// Elements in a chunk.
pub const CHUNK: usize = 2048;
/// Accumulators in a chunk.
pub const LANES: usize = 128;
/// Nodes in a partial norm.
const NODES: usize = 48;

/// The sums over one chunk or one aligned range of chunks.
///
/// The sum of squares is `sum * 2^(192 * class)` (`f64`: 2^(1536 * class)), class -1, 0 or 1, so
/// gradients of 1e20 and of 1e-30 have a norm in `f32`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(C)]
pub struct Part<R> {
    /// The sum of squares, in units of its class.
    pub sum: R,
    /// The second sum of the pass: a rule's statistic or a dot product. No range class.
    pub statistic: R,
    /// The range class of `sum`.
    pub class: i32,
}

impl<R: Real> Part<R> {
    /// The neutral part.
    pub const ZERO: Self = Self { sum: R::ZERO, statistic: R::ZERO, class: 0 };

    /// The factor with which a chunk of this plain sum is summed again, every term multiplied by it:
    /// `None` where the plain sum stands (a NaN does).
    #[inline(always)]
    pub fn rescue_factor(plain: R) -> Option<R> {
        if Self::is_infinite(plain) {
            Some(R::RANGE_DOWN)
        } else if plain < R::SMALL_SUM {
            Some(R::RANGE_UP)
        } else {
            None
        }
    }

    /// The part of a chunk whose plain sum had a [`rescue_factor`](Part::rescue_factor), and the sum
    /// with that factor.
    #[inline(always)]
    pub fn rescued(plain: R, rescued: R, statistic: R) -> Self {
        let class = match (Self::is_infinite(plain), rescued == R::ZERO) {
            (true, _) => 1,
            (false, true) => 0,
            (false, false) => -1,
        };
        Self { sum: rescued, statistic, class }
    }

    /// Of a sum of squares, so +infinity; a NaN is not.
    #[inline(always)]
    fn is_infinite(sum: R) -> bool {
        sum == R::INFINITY
    }

    /// This part and the adjacent one after it. A class outside -1 to 1 counts as the nearest of them.
    #[must_use]
    pub fn combine(self, next: Self) -> Self {
        let statistic = self.statistic + next.statistic;
        // Nearly every pair: nothing to bring to another class, and a neutral part adds its zero.
        let plain = self.sum + next.sum;
        if (self.class | next.class) == 0 && plain.is_finite() {
            return Self { sum: plain, statistic, class: 0 };
        }
        let (sum, class) = if self.sum == R::ZERO {
            (next.sum, next.class)
        } else if next.sum == R::ZERO {
            (self.sum, self.class)
        } else {
            let class = self.class.max(next.class).clamp(-1, 1);
            let (a, b) = (self.sum_in(class), next.sum_in(class));
            let plain = a + b;
            if !plain.is_finite() && a.is_finite() && b.is_finite() {
                (self.sum_in(class + 1) + next.sum_in(class + 1), class + 1)
            } else {
                (plain, class)
            }
        };
        Self { sum, statistic, class }
    }

    /// The sum brought to a higher class by exact powers of two, where it may vanish.
    fn sum_in(self, class: i32) -> R {
        let mut sum = self.sum;
        for _ in self.class.clamp(-1, 1)..class {
            sum = sum * R::RANGE_DOWN * R::RANGE_DOWN;
        }
        sum
    }
}

/// The sums over chunks [start, end), kept as maximal aligned dyadic nodes.
///
/// Any cut at a chunk boundary and any grouping of adjacent parts gives the same bits:
///
/// ```
/// use presam::{Cpu, PartialNorm, Sam, Variant, RuleState};
///
/// let (w, g) = ([0.5f32; 5000], [0.25f32; 5000]);
/// let (cpu, sam) = (Cpu::detect(), Sam::new().arm(&RuleState::new()));
/// let mut whole = PartialNorm::new();
/// cpu.accumulate_norm(sam, &w, &g, [], [], &mut whole)?;
///
/// let mut left = PartialNorm::new();
/// cpu.accumulate_norm(sam, &w[..2048], &g[..2048], [], [], &mut left)?;
/// let mut right = PartialNorm::starting_at(1); // another thread, another rank
/// cpu.accumulate_norm(sam, &w[2048..], &g[2048..], [], [], &mut right)?;
/// left.merge(&right)?;
/// assert_eq!(left.total()?, whole.total()?);
/// # Ok::<(), presam::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct PartialNorm<R> {
    start: u64,
    end: u64,
    counted: u64,
    len: usize,
    nodes: [Part<R>; NODES],
}

impl<R: Real> PartialNorm<R> {
    /// No chunk yet, the first one will be chunk 0.
    pub const fn new() -> Self {
        Self::starting_at(0)
    }

    /// No chunk yet, the first one will be chunk `chunk`.
    pub const fn starting_at(chunk: u64) -> Self {
        Self { start: chunk, end: chunk, counted: 0, len: 0, nodes: [Part::ZERO; NODES] }
    }

    /// The first chunk covered.
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The chunk after the last one covered: where the next part must start.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// The elements counted so far: the divisor of a rule's mean.
    pub const fn counted(&self) -> u64 {
        self.counted
    }

    /// The nodes, from the left: with start, end and count, all that another process needs.
    pub fn nodes(&self) -> &[Part<R>] {
        self.nodes.get(..self.len).unwrap_or_default()
    }

    /// The partial norm over chunks [start, end) with these nodes: one that was taken apart.
    ///
    /// ```
    /// use presam::{PartialNorm, Part};
    ///
    /// let mut norm = PartialNorm::starting_at(3);
    /// for sum in [1.0f32, 2.0, 3.0] {
    ///     norm.push(Part { sum, statistic: 0.0, class: 0 }, 2048)?;
    /// }
    /// let again = PartialNorm::from_nodes(norm.start(), norm.end(), norm.counted(), norm.nodes())?;
    /// assert_eq!(again, norm);
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] where that range has another number of nodes, [`Error::NotAdjacent`] where it ends before
    /// it starts.
    pub fn from_nodes(
        start: u64,
        end: u64,
        counted: u64,
        nodes: &[Part<R>],
    ) -> Result<Self, Error> {
        if end < start {
            return Err(Error::NotAdjacent { expected: start, found: end });
        }
        let (mut at, mut expected) = (start, 0);
        while at < end {
            at += 1 << level_of(at, end);
            expected += 1;
        }
        check_length("nodes", expected, nodes.len())?;
        let mut norm = Self::starting_at(start);
        for &node in nodes {
            norm.push_node(node, level_of(norm.end, end))?;
        }
        norm.counted = counted;
        Ok(norm)
    }

    /// Whether `chunks` more fit: checked before the first of a segment is taken.
    pub(crate) fn check_room(&self, chunks: usize) -> Result<(), Error> {
        let most = if self.start == 0 { 1 << 48 } else { 1 << 24 };
        let end = self.end.checked_add(chunks as u64).ok_or(Error::TooManyChunks)?;
        if end - self.start <= most { Ok(()) } else { Err(Error::TooManyChunks) }
    }

    /// Takes chunk [`end`](PartialNorm::end), of `elements` elements.
    ///
    /// # Errors
    /// [`Error::TooManyChunks`], and nothing is taken.
    #[inline]
    pub fn push(&mut self, part: Part<R>, elements: u64) -> Result<(), Error> {
        self.push_node(part, 0)?;
        self.counted = self.counted.saturating_add(elements);
        Ok(())
    }

    /// Takes a part that starts where this one ends.
    ///
    /// # Errors
    /// [`Error::NotAdjacent`] with both chunk numbers, and nothing is taken.
    pub fn merge(&mut self, next: &Self) -> Result<(), Error> {
        if next.start != self.end {
            return Err(Error::NotAdjacent { expected: self.end, found: next.start });
        }
        let mut merged = *self;
        for &node in next.nodes.iter().take(next.len) {
            let level = level_of(merged.end, next.end);
            merged.push_node(node, level)?;
        }
        merged.counted = merged.counted.saturating_add(next.counted);
        *self = merged;
        Ok(())
    }

    /// The root of the tree.
    ///
    /// # Errors
    /// [`Error::NotFromZero`] where the first chunk is not chunk 0.
    pub fn total(&self) -> Result<Part<R>, Error> {
        if self.start != 0 {
            return Err(Error::NotFromZero { found: self.start });
        }
        // From chunk 0 the nodes shrink to the right: padding with neutral zeros lifts the last one
        // to its left neighbour's level unchanged.
        let mut nodes = self.nodes.iter().take(self.len).rev();
        let mut total = nodes.next().copied().unwrap_or(Part::ZERO);
        for left in nodes {
            total = left.combine(total);
        }
        Ok(total)
    }

    /// Appends an aligned node of 2^level chunks and folds complete pairs.
    #[inline]
    fn push_node(&mut self, mut node: Part<R>, mut level: u32) -> Result<(), Error> {
        let end = self.end.checked_add(1 << level).ok_or(Error::TooManyChunks)?;
        let mut len = self.len;
        // The left sibling exists where the pair is aligned and inside [start, end).
        while level < 63 && end.trailing_zeros() > level && end - self.start >= 2 << level {
            let Some(sibling) = len.checked_sub(1).and_then(|last| self.nodes.get(last)) else {
                break;
            };
            node = sibling.combine(node);
            len -= 1;
            level += 1;
        }
        let slot = self.nodes.get_mut(len).ok_or(Error::TooManyChunks)?;
        *slot = node;
        self.len = len + 1;
        self.end = end;
        Ok(())
    }
}

impl<R: Real> core::fmt::Debug for PartialNorm<R> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PartialNorm")
            .field("start", &self.start)
            .field("end", &self.end)
            .field("counted", &self.counted)
            .field("nodes", &self.nodes())
            .finish()
    }
}

impl<R: Real> PartialEq for PartialNorm<R> {
    fn eq(&self, other: &Self) -> bool {
        (self.start, self.end, self.counted) == (other.start, other.end, other.counted)
            && self.nodes() == other.nodes()
    }
}

impl<R: Real> Default for PartialNorm<R> {
    fn default() -> Self {
        Self::new()
    }
}

/// The level of the first maximal aligned node of [start, end).
fn level_of(start: u64, end: u64) -> u32 {
    let fits = (end - start).checked_ilog2().unwrap_or(0);
    start.trailing_zeros().min(fits)
}

/// A norm as `root * unit`: N' = sqrt(sum) and u = 2^(96 * class) (`f64`: 2^(768 * class)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaledNorm<R> {
    /// N', the square root of the sum in its class.
    pub root: R,
    /// The range class, -1, 0 or 1.
    pub class: i32,
}

impl<R: Real> ScaledNorm<R> {
    /// The norm of a part.
    #[inline]
    pub fn of(part: Part<R>) -> Self {
        Self { root: part.sum.sqrt(), class: part.class }
    }

    /// u
    #[inline]
    pub fn unit(self) -> R {
        match self.class {
            ..=-1 => R::RANGE_DOWN,
            0 => R::ONE,
            1.. => R::RANGE_UP,
        }
    }

    /// 1/u
    #[inline]
    pub fn inverse_unit(self) -> R {
        match self.class {
            ..=-1 => R::RANGE_UP,
            0 => R::ONE,
            1.. => R::RANGE_DOWN,
        }
    }

    /// The norm as one number. Exact but for the range of the type, which it may leave.
    #[inline]
    pub fn value(self) -> R {
        self.root * self.unit()
    }
}
