//! The one body that writes, element by element, for any map.

use presam::pass::ElementMap;

use crate::piece::Piece;
use crate::reads::{F32, Fours, Planes, Scalar, nth, quad};
use crate::team::Team;

/// What a thread needs for its chunk: the map and where its planes are. `old` and `out` may be one.
#[derive(Clone, Copy, Debug)]
pub struct Work<F, G, const A: usize, const M: usize, const I: usize> {
    /// The map.
    pub map: F,
    /// The plane whose old value the map sees; `None` where it looks at none.
    pub old: Option<u64>,
    /// The planes read.
    pub reads: Planes<A>,
    /// The scalar of the last of them.
    pub last: G,
    /// The memory, read.
    pub memory: Planes<M>,
    /// The inputs.
    pub inputs: Planes<I>,
    /// Where the new value goes; 0: nowhere.
    pub out: u64,
    /// Where the new value goes besides, in the scalar `copy_as`; 0: nowhere.
    pub copy: u64,
    /// See `copy`.
    pub copy_as: G,
    /// Where the first plane read is copied to; 0: nowhere.
    pub backup: u64,
    /// Whether the new memory is stored.
    pub remember: bool,
}

/// One thread's elements of a chunk.
///
/// All of a batch is loaded before any of it is stored, so that the loads are in flight together;
/// two rows at a time where there are many planes, to keep them in registers.
#[inline(always)]
pub fn map<W: Team, F, G: Scalar, const A: usize, const M: usize, const I: usize>(
    team: &W,
    piece: &Piece,
    work: &Work<F, G, A, M, I>,
) where
    F: ElementMap<f32, A, M, I>,
{
    let load = |row: u32| Row::load::<W, F, true>(team, work, piece.element(row));
    let few = A + M + I + usize::from(work.old.is_some()) <= 2;
    let mut row = 0;
    while piece.segment.aligned && row < piece.rows {
        let left = piece.rows - row;
        if few && left >= 4 {
            let [a, b, c, d] = [load(row), load(row + 1), load(row + 2), load(row + 3)];
            a.store::<W, F, true>(team, work);
            b.store::<W, F, true>(team, work);
            c.store::<W, F, true>(team, work);
            d.store::<W, F, true>(team, work);
            row += 4;
        } else if !few && left >= 2 {
            let [a, b] = [load(row), load(row + 1)];
            a.store::<W, F, true>(team, work);
            b.store::<W, F, true>(team, work);
            row += 2;
        } else {
            load(row).store::<W, F, true>(team, work);
            row += 1;
        }
    }
    while row < piece.rows {
        let element = piece.element(row);
        Row::load::<W, F, false>(team, work, element).store::<W, F, false>(team, work);
        row += 1;
    }
    let mut j = 0;
    while j < piece.tail {
        one::<W, F, G, A, M, I>(team, work, piece.element(row) + u64::from(j));
        j += 1;
    }
}

/// Four elements of every plane, `[plane][j]`, from `element` on.
#[derive(Clone, Copy)]
struct Row<G: Scalar, const A: usize, const M: usize, const I: usize> {
    element: u64,
    old: [f32; 4],
    reads: Fours<G, A>,
    memory: [[f32; 4]; M],
    inputs: [[f32; 4]; I],
}

impl<G: Scalar, const A: usize, const M: usize, const I: usize> Row<G, A, M, I> {
    #[inline(always)]
    fn load<W: Team, F, const WIDE: bool>(
        team: &W,
        work: &Work<F, G, A, M, I>,
        element: u64,
    ) -> Self {
        let old = match work.old {
            Some(old) => Planes::at([old]).four::<WIDE>(team, element)[0],
            None => [0.0; 4],
        };
        Self {
            element,
            old,
            reads: work.reads.four_of::<G, WIDE>(team, work.last, element),
            memory: work.memory.four::<WIDE>(team, element),
            inputs: work.inputs.four::<WIDE>(team, element),
        }
    }

    #[inline(always)]
    fn store<W: Team, F, const WIDE: bool>(self, team: &W, work: &Work<F, G, A, M, I>)
    where
        F: ElementMap<f32, A, M, I>,
    {
        let Self { element, old, reads, memory, inputs } = self;
        let reads = reads.numbers(team, work.last);
        let new =
            quad(|j| work.map.apply(old[j], nth(&reads, j), nth(&memory, j), nth(&inputs, j)));
        if let (Some(first), true) = (reads.first(), work.backup != 0) {
            F32.set_four::<WIDE>(team, F32.at(work.backup, element), *first);
        }
        if work.out != 0 {
            F32.set_four::<WIDE>(team, F32.at(work.out, element), quad(|j| new[j].0));
        }
        if G::MIXED && work.copy != 0 {
            let address = work.copy_as.at(work.copy, element);
            work.copy_as.set_four::<WIDE>(team, address, quad(|j| new[j].0));
        }
        if work.remember {
            // By constant index: a loop over planes would keep the row in memory.
            const { assert!(M <= 2) };
            let plane = |plane: usize| quad(|j| new[j].1.get(plane).copied().unwrap_or(0.0));
            work.memory.set_four::<WIDE>(team, element, 0, plane(0));
            work.memory.set_four::<WIDE>(team, element, 1, plane(1));
        }
    }
}

/// One element.
#[inline(always)]
fn one<W: Team, F, G: Scalar, const A: usize, const M: usize, const I: usize>(
    team: &W,
    work: &Work<F, G, A, M, I>,
    element: u64,
) where
    F: ElementMap<f32, A, M, I>,
{
    let old = work.old.map_or(0.0, |old| F32.one(team, F32.at(old, element)));
    let reads = work.reads.one(team, work.last, element);
    let (memory, inputs) =
        (work.memory.one(team, F32, element), work.inputs.one(team, F32, element));
    let (value, memory) = work.map.apply(old, reads, memory, inputs);
    if let (Some(first), true) = (reads.first(), work.backup != 0) {
        F32.set_one(team, F32.at(work.backup, element), *first);
    }
    if work.out != 0 {
        F32.set_one(team, F32.at(work.out, element), value);
    }
    if G::MIXED && work.copy != 0 {
        work.copy_as.set_one(team, work.copy_as.at(work.copy, element), value);
    }
    if work.remember {
        let plane = |plane: usize| memory.get(plane).copied().unwrap_or(0.0);
        work.memory.set_one(team, element, 0, plane(0));
        work.memory.set_one(team, element, 1, plane(1));
    }
}
