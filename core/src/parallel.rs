//! rayon: segments are halved at chunk boundaries, so every thread count gives the same bits.

use crate::map::PlanesMut;
use crate::pass::{ElementMap, Term};
use crate::reduce::Planes;
use crate::{CHUNK, Cpu, Error, PartialNorm, Real};

/// Shorter segments stay on one thread.
pub(crate) const SHORTEST: usize = 1 << 17;
/// Pieces are not halved below this length.
const PIECE: usize = 1 << 16;

/// The cut nearest the middle, on a chunk boundary.
fn middle(len: usize) -> usize {
    (len / 2).next_multiple_of(CHUNK)
}

pub(crate) fn reduce<R: Real, T, const A: usize, const M: usize, const I: usize>(
    cpu: Cpu,
    term: T,
    planes: Planes<'_, R, A, M, I>,
    norm: &mut PartialNorm<R>,
) -> Result<(), Error>
where
    T: Term<R, A, M, I>,
{
    let part = part_of(cpu, term, planes, norm.end())?;
    norm.merge(&part)
}

fn part_of<R: Real, T, const A: usize, const M: usize, const I: usize>(
    cpu: Cpu,
    term: T,
    planes: Planes<'_, R, A, M, I>,
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

pub(crate) fn map<R: Real, F, const A: usize, const M: usize, const I: usize>(
    cpu: Cpu,
    map: F,
    planes: PlanesMut<'_, R, A, M, I>,
) where
    F: ElementMap<R, A, M, I>,
{
    if planes.out.len() <= PIECE {
        return cpu.map_serial(map, planes);
    }
    let middle = middle(planes.out.len());
    let (left, right) = planes.split_at(middle);
    rayon::join(|| self::map(cpu, map, left), || self::map(cpu, map, right));
}

impl<'a, R, const A: usize, const M: usize, const I: usize> PlanesMut<'a, R, A, M, I> {
    fn split_at(self, middle: usize) -> (Self, Self) {
        let (out_left, out_right) = cut_mut(self.out, middle);
        let mut right_memory: [&'a mut [R]; M] = core::array::from_fn(|_| [].as_mut_slice());
        let mut right_slots = right_memory.iter_mut();
        let left_memory = self.memory.map(|plane| {
            let (left, right) = cut_mut(plane, middle);
            if let Some(slot) = right_slots.next() {
                *slot = right;
            }
            left
        });
        let cut = |plane: &'a [R]| plane.split_at_checked(middle).unwrap_or((plane, &[]));
        let left = Self {
            out: out_left,
            reads: self.reads.map(|plane| cut(plane).0),
            memory: left_memory,
            inputs: self.inputs.map(|plane| cut(plane).0),
        };
        let right = Self {
            out: out_right,
            reads: self.reads.map(|plane| cut(plane).1),
            memory: right_memory,
            inputs: self.inputs.map(|plane| cut(plane).1),
        };
        (left, right)
    }
}

fn cut_mut<R>(plane: &mut [R], middle: usize) -> (&mut [R], &mut [R]) {
    let middle = middle.min(plane.len());
    plane.split_at_mut(middle)
}
