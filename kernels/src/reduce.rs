//! The one body that sums: a chunk a warp, its lanes and folds by the norm contract, for any term.

use presam::Part;
use presam::pass::Term;

use crate::fold::over_warps;
use crate::piece::{Piece, Table};
use crate::reads::{F32, Fours, Planes, Scalar, nth, quad};
use crate::team::{Team, WARP};

/// What a thread needs for its chunk: the term and where its planes are.
#[derive(Clone, Copy, Debug)]
pub struct Work<T, G, const A: usize, const M: usize, const I: usize> {
    /// The term.
    pub term: T,
    /// The planes read.
    pub reads: Planes<A>,
    /// The scalar of the last of them.
    pub last: G,
    /// The rule's memory.
    pub memory: Planes<M>,
    /// The rule's inputs.
    pub inputs: Planes<I>,
}

/// Writes the part of every [`WARPS`](crate::team::WARPS) chunks of `table`, a block's, to `parts`.
#[inline(always)]
pub fn reduce<W: Team, T, G: Scalar, const A: usize, const M: usize, const I: usize>(
    team: &W,
    table: Table,
    parts: u64,
    work: impl Fn(&Piece) -> Work<T, G, A, M, I>,
) where
    T: Term<f32, A, M, I>,
{
    let chunks =
        team.each(|thread| Piece::of::<G>(team, table, thread).map(|piece| (piece, work(&piece))));
    let both = team.map(chunks, |_, chunk| {
        lane_sums::<W, T, G, A, M, I, true>(team, chunk, |work, reads, memory, inputs| {
            let value = work.term.term(reads, memory, inputs);
            let statistic =
                if T::STATISTIC { work.term.statistic(reads, memory, inputs) } else { 0.0 };
            [value * value, statistic]
        })
    });
    let plain = warp_fold(team, team.map(both, |_, sums| quad(|j| sums[j][0])));
    let statistic = if T::STATISTIC {
        warp_fold(team, team.map(both, |_, sums| quad(|j| sums[j][1])))
    } else {
        team.each(|_| 0.0)
    };
    let factor = team.map(plain, |_, plain| Part::rescue_factor(plain));
    let needed = team.map(factor, |_, factor| factor.is_some());
    let mut rescued = plain;
    // The same over a warp, since its lanes all have the chunk's sum.
    if team.any(needed) {
        let again = team.map(team.zip(chunks, factor), |_, (chunk, factor)| {
            let factor = factor.unwrap_or(1.0);
            let square = |work: &Work<T, G, A, M, I>, reads, memory, inputs| {
                let value = work.term.term(reads, memory, inputs) * factor;
                [value * value, 0.0]
            };
            let sums = lane_sums::<W, T, G, A, M, I, false>(team, chunk, square);
            quad(|j| sums[j][0])
        });
        rescued = warp_fold(team, again);
    }
    let sums = team.zip(team.zip(plain, rescued), team.zip(statistic, needed));
    let part = team.map(team.zip(chunks, sums), |_, (chunk, sums)| {
        let ((plain, rescued), (statistic, needed)) = sums;
        match chunk {
            None => Part::ZERO,
            Some(_) if needed => Part::rescued(plain, rescued, statistic),
            Some(_) => Part { sum: plain, statistic, class: 0 },
        }
    });
    // A block's chunks are an aligned subtree: one part of it is left to the tree.
    team.map(over_warps(team, part), |thread, part| {
        if thread == 0 {
            team.set_part(parts, team.block(), part);
        }
    });
}

/// The four lanes of one thread: lane l adds elements l, l + LANES, ... in that order. With
/// `AHEAD` rows are loaded before the first of them is summed: the hot pass, against the rare one.
#[inline(always)]
fn lane_sums<
    W: Team,
    T,
    G: Scalar,
    const A: usize,
    const M: usize,
    const I: usize,
    const AHEAD: bool,
>(
    team: &W,
    chunk: Option<(Piece, Work<T, G, A, M, I>)>,
    value: impl Fn(&Work<T, G, A, M, I>, [f32; A], [f32; M], [f32; I]) -> [f32; 2],
) -> [[f32; 2]; 4]
where
    T: Term<f32, A, M, I>,
{
    let mut sums = [[0.0; 2]; 4];
    let Some((piece, work)) = chunk else { return sums };
    let add = |sum: [f32; 2], reads, memory, inputs| {
        let [square, statistic] = value(&work, reads, memory, inputs);
        [sum[0] + square, if T::STATISTIC { sum[1] + statistic } else { 0.0 }]
    };
    let add_row = |sums: [[f32; 2]; 4], (reads, memory, inputs): Row<G, A, M, I>| {
        let reads = reads.numbers(team, work.last);
        quad(|j| add(sums[j], nth(&reads, j), nth(&memory, j), nth(&inputs, j)))
    };
    let mut row = 0;
    if piece.segment.aligned {
        // What is loaded together is in flight together; with many planes two rows fill the registers.
        let load = |row: u32| work.row::<W, true>(team, piece.element(row));
        while AHEAD && A + M + I <= 3 && row + 4 <= piece.rows {
            let [a, b, c, d] = [load(row), load(row + 1), load(row + 2), load(row + 3)];
            sums = add_row(add_row(add_row(add_row(sums, a), b), c), d);
            row += 4;
        }
        while AHEAD && row + 2 <= piece.rows {
            let [a, b] = [load(row), load(row + 1)];
            sums = add_row(add_row(sums, a), b);
            row += 2;
        }
        while row < piece.rows {
            sums = add_row(sums, load(row));
            row += 1;
        }
    } else {
        while row < piece.rows {
            sums = add_row(sums, work.row::<W, false>(team, piece.element(row)));
            row += 1;
        }
    }
    let tail = piece.element(row);
    let mut j = 0;
    while j < piece.tail {
        let element = tail + u64::from(j);
        let (reads, memory) =
            (work.reads.one(team, work.last, element), work.memory.one(team, F32, element));
        let inputs = work.inputs.one(team, F32, element);
        // A select over all four, since registers have no index.
        let old = sums;
        sums = quad(|i| if i as u32 == j { add(old[i], reads, memory, inputs) } else { old[i] });
        j += 1;
    }
    sums
}

/// Four elements of every plane, `[plane][j]`.
type Row<G, const A: usize, const M: usize, const I: usize> =
    (Fours<G, A>, [[f32; 4]; M], [[f32; 4]; I]);

impl<T, G: Scalar, const A: usize, const M: usize, const I: usize> Work<T, G, A, M, I> {
    #[inline(always)]
    fn row<W: Team, const WIDE: bool>(&self, team: &W, element: u64) -> Row<G, A, M, I> {
        (
            self.reads.four_of::<G, WIDE>(team, self.last, element),
            self.memory.four::<WIDE>(team, element),
            self.inputs.four::<WIDE>(team, element),
        )
    }
}

/// Lanes folded by halves over the warp; every lane gets the sum. Lane l is element l % 4 of thread
/// l / 4, so l takes l + 64 is thread t takes t + 16.
#[inline(always)]
fn warp_fold<W: Team>(team: &W, mut sums: W::Each<[f32; 4]>) -> W::Each<f32> {
    let mut by = WARP / 2;
    while by > 0 {
        let other = team.shuffle_down(sums, by);
        sums = team.map(team.zip(sums, other), |_, (mine, other)| quad(|j| mine[j] + other[j]));
        by /= 2;
    }
    team.broadcast(team.map(sums, |_, [a, b, c, d]| (a + c) + (b + d)))
}
