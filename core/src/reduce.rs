//! The one loop that sums: chunks, lanes and folds of the norm contract, for any term.

use crate::cpu::{Cpu, Operation, SMALL};
use crate::error::Error;
use crate::norm::{CHUNK, LANES, Part, PartialNorm};
use crate::pass::Term;
use crate::real::Real;
use crate::slices::{Reads, gather, gather_plane, row_of, rows, tails};

impl Cpu {
    /// Adds one segment to `norm`, chunk by chunk, on this thread.
    pub(crate) fn reduce_serial<R: Real, T, const A: usize, const M: usize, const I: usize>(
        self,
        term: T,
        planes: Reads<'_, R, A, M, I>,
        norm: &mut PartialNorm<R>,
    ) -> Result<(), Error>
    where
        T: Term<R, A, M, I>,
    {
        self.dispatch(Reduce { term, planes, norm })
    }
}

struct Reduce<'a, 'n, R, T, const A: usize, const M: usize, const I: usize> {
    term: T,
    planes: Reads<'a, R, A, M, I>,
    norm: &'n mut PartialNorm<R>,
}

impl<R: Real, T: Term<R, A, M, I>, const A: usize, const M: usize, const I: usize> Operation
    for Reduce<'_, '_, R, T, A, M, I>
{
    type Output = Result<(), Error>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let mut planes = self.planes;
        let len = planes.len();
        self.norm.check_room(len.div_ceil(CHUNK))?;
        let mut start = 0;
        while start < len {
            let elements = CHUNK.min(len - start);
            let chunk = if SMALL {
                Chunk { planes, start, elements }
            } else {
                let (cut, rest) = planes.split_at(elements);
                planes = rest;
                Chunk { planes: cut, start: 0, elements }
            };
            self.norm.push(chunk_part(self.term, chunk), elements as u64)?;
            start += elements;
        }
        Ok(())
    }
}

/// `elements` of the planes from `start` on. They are cut to the chunk, but where flash is dear: to cut
/// them costs more of it than to count.
#[derive(Clone, Copy)]
struct Chunk<'a, R, const A: usize, const M: usize, const I: usize> {
    planes: Reads<'a, R, A, M, I>,
    start: usize,
    elements: usize,
}

/// One chunk: the plain sum, and again in a range class where the plain sum leaves the range.
#[inline(always)]
fn chunk_part<R: Real, T: Term<R, A, M, I>, const A: usize, const M: usize, const I: usize>(
    term: T,
    chunk: Chunk<'_, R, A, M, I>,
) -> Part<R> {
    let sum = if SMALL {
        // One loop for every class: a factor of 1 changes no bit.
        scaled_sum(term, chunk, R::ONE)
    } else {
        lane_sum(chunk, |reads, memory, inputs| {
            let value = term.term(reads, memory, inputs);
            value * value
        })
    };
    let statistic = if T::STATISTIC {
        lane_sum(chunk, |reads, memory, inputs| term.statistic(reads, memory, inputs))
    } else {
        R::ZERO
    };
    match Part::rescue_factor(sum) {
        None => Part { sum, statistic, class: 0 },
        Some(factor) => Part::rescued(sum, scaled_sum(term, chunk, factor), statistic),
    }
}

/// The same sum with every term first multiplied by a power of two. Rare, so kept out of the hot loop.
#[cfg_attr(not(target_os = "none"), cold)]
#[inline(never)]
fn scaled_sum<R: Real, T: Term<R, A, M, I>, const A: usize, const M: usize, const I: usize>(
    term: T,
    chunk: Chunk<'_, R, A, M, I>,
    factor: R,
) -> R {
    lane_sum(chunk, |reads, memory, inputs| {
        let value = term.term(reads, memory, inputs) * factor;
        value * value
    })
}

/// Lane l takes elements l, l + LANES, ...; then lanes are folded by halves.
#[inline(always)]
fn lane_sum<R: Real, const A: usize, const M: usize, const I: usize>(
    chunk: Chunk<'_, R, A, M, I>,
    value: impl Fn([R; A], [R; M], [R; I]) -> R + Copy,
) -> R {
    let mut aligned = Lanes([R::ZERO; LANES]);
    let lanes = &mut aligned.0;
    if SMALL {
        add_each(lanes, chunk, value);
        fold_each(lanes)
    } else {
        add_rows(lanes, chunk.planes, value);
        fold(lanes)
    }
}

/// Row by row, and the rest.
#[inline(always)]
fn add_rows<R: Real, const A: usize, const M: usize, const I: usize>(
    lanes: &mut [R; LANES],
    chunk: Reads<'_, R, A, M, I>,
    value: impl Fn([R; A], [R; M], [R; I]) -> R + Copy,
) {
    let zeros = [R::ZERO; LANES];
    let (reads, memory, inputs) = (rows(chunk.reads), rows(chunk.memory), rows(chunk.inputs));
    let (whole, tail) = reads.first().map_or((0, 0), |(rows, tail)| (rows.len(), tail.len()));
    for row in 0..whole {
        let read = row_of(&reads, row, &zeros);
        let remembered = row_of(&memory, row, &zeros);
        let input = row_of(&inputs, row, &zeros);
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane += value(gather(&read, l), gather(&remembered, l), gather(&input, l));
        }
    }
    let (reads, memory, inputs) = (tails(&reads), tails(&memory), tails(&inputs));
    for (l, lane) in lanes.iter_mut().enumerate().take(tail) {
        *lane += value(gather_plane(&reads, l), gather_plane(&memory, l), gather_plane(&inputs, l));
    }
}

/// Element by element: the same sums.
#[inline(always)]
fn add_each<R: Real, const A: usize, const M: usize, const I: usize>(
    lanes: &mut [R; LANES],
    chunk: Chunk<'_, R, A, M, I>,
    value: impl Fn([R; A], [R; M], [R; I]) -> R + Copy,
) {
    let Reads { reads, memory, inputs } = chunk.planes;
    for i in 0..chunk.elements {
        if let Some(lane) = lanes.get_mut(i % LANES) {
            let at = chunk.start + i;
            let (read, remembered) = (gather_plane(&reads, at), gather_plane(&memory, at));
            *lane += value(read, remembered, gather_plane(&inputs, at));
        }
    }
}

/// On a cache line of its own: wide loads and stores that cross one would cost half the speed.
#[repr(align(64))]
struct Lanes<R>([R; LANES]);

/// The same fold as one loop: from the last lane down, each is added to the one that its half maps it to.
#[inline(always)]
fn fold_each<R: Real>(lanes: &mut [R; LANES]) -> R {
    for l in (1..LANES).rev() {
        let upper = lanes.get(l).copied().unwrap_or(R::ZERO);
        if let Some(lane) = lanes.get_mut(l ^ (1 << l.ilog2())) {
            *lane += upper;
        }
    }
    lanes[0]
}

/// l takes l + 64, then l + 32, ... until one is left.
#[inline(always)]
fn fold<R: Real>(lanes: &mut [R; LANES]) -> R {
    let mut half = LANES / 2;
    while half > 0 {
        let (low, high) = lanes.split_at_mut(half);
        for l in 0..low.len().min(high.len()) {
            low[l] += high[l];
        }
        half /= 2;
    }
    lanes[0]
}
