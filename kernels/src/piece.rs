//! [`Piece`]: what a warp works on, one chunk of one segment.

use presam::{CHUNK, LANES};

use crate::layout::{Chunk, Segment};
use crate::reads::Scalar;
use crate::team::{Team, WARP, WARPS};

/// Bytes of a row of the chunk table and of the segment table.
const CHUNK_BYTES: u64 = size_of::<Chunk>() as u64;
const SEGMENT_BYTES: u64 = size_of::<Segment>() as u64;

/// A table of chunks: how many, and where.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The chunks.
    pub chunks: u64,
    /// How many.
    pub count: u32,
    /// The segments that they are cut from.
    pub segments: u64,
}

impl Table {
    /// The first three arguments of a pass.
    #[inline(always)]
    #[must_use]
    pub const fn new(chunks: u64, count: u64, segments: u64) -> Self {
        Self { chunks, count: count as u32, segments }
    }
}

/// A chunk as one thread sees it.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Where the segment's row is.
    pub row: u64,
    /// What every pass needs of it.
    pub segment: Head,
    /// The first element of this thread's row 0.
    pub first: u64,
    /// Whole rows of LANES elements.
    pub rows: u32,
    /// Elements of the last row that this thread has: 0 to 4.
    pub tail: u32,
    /// See [`Segment`]; 0 where the kernel is one of `f32`.
    pub flags: u32,
}

/// What every pass needs of a segment.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// See [`Segment`].
    pub grads: u64,
    /// See [`Segment`].
    pub params: u64,
    /// See [`Segment`].
    pub group: u32,
    /// 16-byte access is allowed.
    pub aligned: bool,
}

/// The address in two words.
#[inline(always)]
const fn join(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

impl Piece {
    /// The chunk of this thread's warp; `None` past the end of the table.
    #[inline(always)]
    pub fn of<S: Scalar>(team: &impl Team, table: Table, thread: u32) -> Option<Self> {
        let chunk = team.block() * WARPS + thread / WARP;
        if chunk < table.count { Some(Self::at::<S>(team, table, thread, chunk)) } else { None }
    }

    /// The same from the table's end: for a pass that follows one from its start, whose last planes are
    /// still in the cache.
    #[inline(always)]
    pub fn from_end<S: Scalar>(team: &impl Team, table: Table, thread: u32) -> Option<Self> {
        let chunk = team.block() * WARPS + thread / WARP;
        if chunk < table.count {
            Some(Self::at::<S>(team, table, thread, table.count - 1 - chunk))
        } else {
            None
        }
    }

    #[inline(always)]
    fn at<S: Scalar>(team: &impl Team, table: Table, thread: u32, chunk: u32) -> Self {
        let [segment, index, len, group] = team.four(table.chunks + CHUNK_BYTES * u64::from(chunk));
        let (len, flags) = if S::MIXED { (len & 0xffff, len >> 16) } else { (len, 0) };
        let row = table.segments + SEGMENT_BYTES * u64::from(segment);
        let [grads, grads_high, params, params_high] = team.four(row);
        let lane = 4 * (thread % WARP);
        let (rows, rest) = (len / LANES as u32, len % LANES as u32);
        let tail = if rest > lane { (rest - lane).min(4) } else { 0 };
        let segment = Head {
            grads: join(grads, grads_high),
            params: join(params, params_high),
            group: group & (u32::MAX >> 1),
            aligned: group >> 31 != 0,
        };
        let first = u64::from(index) * CHUNK as u64 + u64::from(lane);
        Self { row, segment, first, rows, tail, flags }
    }

    /// This thread's first element of row `row`.
    #[inline(always)]
    pub fn element(&self, row: u32) -> u64 {
        self.first + LANES as u64 * u64::from(row)
    }

    /// The scalar of a plane, which the flags have at this bit.
    #[inline(always)]
    pub fn scalar<S: Scalar>(&self, bit: u32) -> S {
        S::of(self.flags >> bit & 3)
    }

    /// A plane's address, from the segment's row.
    #[inline(always)]
    pub fn plane(&self, team: &impl Team, offset: usize) -> u64 {
        let [low, high] = team.two(self.row + offset as u64);
        join(low, high)
    }

    /// Addresses of N planes that stand one after the other in the segment's row.
    #[inline(always)]
    pub fn planes<const N: usize>(&self, team: &impl Team, offset: usize) -> [u64; N] {
        let mut planes = [0; N];
        for (i, plane) in planes.iter_mut().enumerate() {
            *plane = self.plane(team, offset + 8 * i);
        }
        planes
    }
}
