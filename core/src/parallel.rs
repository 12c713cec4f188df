//! One thread or rayon's: segments are halved at chunk boundaries, so every thread count gives the
//! same bits.

use crate::cpu::Cpu;
use crate::error::Error;
#[cfg(feature = "rayon")]
use crate::norm::CHUNK;
use crate::norm::PartialNorm;
use crate::pass::{ElementMap, Term};
use crate::real::Real;
use crate::slices::{Reads, Writes};

/// Shorter segments stay on one thread.
#[cfg(feature = "rayon")]
const SHORTEST: usize = 1 << 17;
/// Pieces are not halved below this length.
#[cfg(feature = "rayon")]
const PIECE: usize = 1 << 16;

impl Cpu {
    /// Whether a segment of `len` is worked on by more than one thread.
    #[inline]
    pub(crate) fn splits(self, len: usize) -> bool {
        #[cfg(feature = "rayon")]
        let splits = self.parallel && len >= SHORTEST;
        #[cfg(not(feature = "rayon"))]
        let splits = {
            let _ = len;
            false
        };
        splits
    }

    /// Adds one segment to `norm`, chunk by chunk.
    pub(crate) fn reduce<R: Real, T, const A: usize, const M: usize, const I: usize>(
        self,
        term: T,
        planes: Reads<'_, R, A, M, I>,
        norm: &mut PartialNorm<R>,
    ) -> Result<(), Error>
    where
        T: Term<R, A, M, I>,
    {
        #[cfg(feature = "rayon")]
        if self.splits(planes.len()) {
            let part = part_of(self, term, planes, norm.end())?;
            return norm.merge(&part);
        }
        self.reduce_serial(term, planes, norm)
    }

    /// Applies `map` to every element.
    pub(crate) fn map<R: Real, F, const A: usize, const M: usize, const I: usize>(
        self,
        map: F,
        planes: Writes<'_, R, A, M, I>,
    ) where
        F: ElementMap<R, A, M, I>,
    {
        #[cfg(feature = "rayon")]
        if self.splits(planes.out.len()) {
            return map_halves(self, map, planes);
        }
        self.map_serial(map, planes);
    }
}

/// The cut nearest the middle, on a chunk boundary.
#[cfg(feature = "rayon")]
fn middle(len: usize) -> usize {
    (len / 2).next_multiple_of(CHUNK)
}

#[cfg(feature = "rayon")]
fn part_of<R: Real, T, const A: usize, const M: usize, const I: usize>(
    cpu: Cpu,
    term: T,
    planes: Reads<'_, R, A, M, I>,
    start: u64,
) -> Result<PartialNorm<R>, Error>
where
    T: Term<R, A, M, I>,
{
    if planes.len() <= PIECE {
        let mut part = PartialNorm::starting_at(start);
        cpu.reduce_serial(term, planes, &mut part)?;
        return Ok(part);
    }
    let middle = middle(planes.len());
    let (left, right) = planes.split_at(middle);
    let next = start.checked_add((middle / CHUNK) as u64).ok_or(Error::TooManyChunks)?;
    let (left, right) =
        rayon::join(|| part_of(cpu, term, left, start), || part_of(cpu, term, right, next));
    let mut left = left?;
    left.merge(&right?)?;
    Ok(left)
}

#[cfg(feature = "rayon")]
fn map_halves<R: Real, F, const A: usize, const M: usize, const I: usize>(
    cpu: Cpu,
    map: F,
    planes: Writes<'_, R, A, M, I>,
) where
    F: ElementMap<R, A, M, I>,
{
    if planes.out.len() <= PIECE {
        return cpu.map_serial(map, planes);
    }
    let middle = middle(planes.out.len());
    let (left, right) = planes.split_at(middle);
    rayon::join(|| map_halves(cpu, map, left), || map_halves(cpu, map, right));
}
