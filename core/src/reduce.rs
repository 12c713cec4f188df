//! The one loop that sums: chunks, lanes and folds of the norm contract, for any term.

use crate::cpu::Operation;
use crate::pass::Term;
use crate::{CHUNK, Cpu, Error, LANES, Part, PartialNorm, Real};

/// The planes a pass reads, all of one length.
#[derive(Clone, Copy)]
pub(crate) struct Planes<'a, R, const A: usize, const M: usize, const I: usize> {
    pub reads: [&'a [R]; A],
    pub memory: [&'a [R]; M],
    pub inputs: [&'a [R]; I],
}

impl<'a, R, const A: usize, const M: usize, const I: usize> Planes<'a, R, A, M, I> {
    pub fn len(&self) -> usize {
        self.reads.first().map_or(0, |plane| plane.len())
    }

    /// Both sides of a cut at `middle`.
    pub fn split_at(self, middle: usize) -> (Self, Self) {
        fn halves<'a, R, const K: usize>(
            planes: [&'a [R]; K],
            middle: usize,
        ) -> ([&'a [R]; K], [&'a [R]; K]) {
            let cut = |plane: &'a [R]| plane.split_at_checked(middle).unwrap_or((plane, &[]));
            (planes.map(|plane| cut(plane).0), planes.map(|plane| cut(plane).1))
        }
        let (reads, memory, inputs) =
            (halves(self.reads, middle), halves(self.memory, middle), halves(self.inputs, middle));
        (
            Self { reads: reads.0, memory: memory.0, inputs: inputs.0 },
            Self { reads: reads.1, memory: memory.1, inputs: inputs.1 },
        )
    }
}

impl Cpu {
    /// Adds one segment to `norm`, chunk by chunk.
    pub(crate) fn reduce<R: Real, T, const A: usize, const M: usize, const I: usize>(
        self,
        term: T,
        planes: Planes<'_, R, A, M, I>,
        norm: &mut PartialNorm<R>,
    ) -> Result<(), Error>
    where
        T: Term<R, A, M, I>,
    {
        #[cfg(feature = "rayon")]
        if self.parallel && planes.len() >= crate::parallel::SHORTEST {
            return crate::parallel::reduce(self, term, planes, norm);
        }
        self.reduce_serial(term, planes, norm)
    }

    pub(crate) fn reduce_serial<R: Real, T, const A: usize, const M: usize, const I: usize>(
        self,
        term: T,
        planes: Planes<'_, R, A, M, I>,
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
    planes: Planes<'a, R, A, M, I>,
    norm: &'n mut PartialNorm<R>,
}

impl<R: Real, T: Term<R, A, M, I>, const A: usize, const M: usize, const I: usize> Operation
    for Reduce<'_, '_, R, T, A, M, I>
{
    type Output = Result<(), Error>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let mut rest = self.planes;
        self.norm.check_room(rest.len().div_ceil(CHUNK))?;
        while rest.len() > 0 {
            let (chunk, next) = rest.split_at(CHUNK.min(rest.len()));
            self.norm.push(chunk_part(self.term, chunk), chunk.len() as u64)?;
            rest = next;
        }
        Ok(())
    }
}

/// One chunk: the plain sum, and again in a range class where the plain sum leaves the range.
#[inline(always)]
fn chunk_part<R: Real, T: Term<R, A, M, I>, const A: usize, const M: usize, const I: usize>(
    term: T,
    chunk: Planes<'_, R, A, M, I>,
) -> Part<R> {
    let sum = lane_sum(chunk, |reads, memory, inputs| {
        let value = term.term(reads, memory, inputs);
        value * value
    });
    let statistic = if T::STATISTIC {
        lane_sum(chunk, |reads, memory, inputs| term.statistic(reads, memory, inputs))
    } else {
        R::ZERO
    };
    match Part::rescue_factor(sum) {
        None => Part { sum, statistic, class: 0 },
        Some(factor) => Part::rescued(sum, rescued_sum(term, chunk, factor), statistic),
    }
}

/// The same sum with every term first multiplied by a power of two. Rare, so kept out of the hot loop.
#[cold]
#[inline(never)]
fn rescued_sum<R: Real, T: Term<R, A, M, I>, const A: usize, const M: usize, const I: usize>(
    term: T,
    chunk: Planes<'_, R, A, M, I>,
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
    chunk: Planes<'_, R, A, M, I>,
    value: impl Fn([R; A], [R; M], [R; I]) -> R + Copy,
) -> R {
    let mut aligned = Lanes([R::ZERO; LANES]);
    let lanes = &mut aligned.0;
    let zeros = [R::ZERO; LANES];
    let reads = chunk.reads.map(|plane| plane.as_chunks::<LANES>());
    let memory = chunk.memory.map(|plane| plane.as_chunks::<LANES>());
    let inputs = chunk.inputs.map(|plane| plane.as_chunks::<LANES>());
    let rows = reads.first().map_or(0, |(rows, _)| rows.len());
    for row in 0..rows {
        // Every plane has this row; `unwrap_or` keeps a panic out of the code.
        let read = reads.map(|(rows, _)| rows.get(row).unwrap_or(&zeros));
        let remembered = memory.map(|(rows, _)| rows.get(row).unwrap_or(&zeros));
        let input = inputs.map(|(rows, _)| rows.get(row).unwrap_or(&zeros));
        for l in 0..LANES {
            lanes[l] += value(read.map(|r| r[l]), remembered.map(|r| r[l]), input.map(|r| r[l]));
        }
    }
    let tail = reads.first().map_or(0, |(_, tail)| tail.len());
    let at = |plane: &[R], l: usize| plane.get(l).copied().unwrap_or(R::ZERO);
    for (l, lane) in lanes.iter_mut().enumerate().take(tail) {
        *lane += value(
            reads.map(|(_, tail)| at(tail, l)),
            memory.map(|(_, tail)| at(tail, l)),
            inputs.map(|(_, tail)| at(tail, l)),
        );
    }
    fold(&mut aligned.0)
}

/// On a cache line of its own: wide loads and stores that cross one would cost half the speed.
#[repr(align(64))]
struct Lanes<R>([R; LANES]);

/// l takes l + 64, then l + 32, ... until one is left.
#[inline(always)]
fn fold<R: Real>(lanes: &mut [R; LANES]) -> R {
    let mut half = LANES / 2;
    while half > 0 {
        let (low, high) = lanes.split_at_mut(half);
        for (a, &b) in low.iter_mut().zip(high.iter()) {
            *a += b;
        }
        half /= 2;
    }
    lanes[0]
}
