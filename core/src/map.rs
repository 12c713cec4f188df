//! The one loop that writes: element by element over planes of one length.

use crate::cpu::{Cpu, Operation, SMALL};
use crate::pass::ElementMap;
use crate::real::Real;
use crate::slices::{
    Writes, gather, gather_mut, gather_plane, row_of, row_of_mut, rows, rows_mut, tails, tails_mut,
};

/// Elements worked on at a time: a row's new memory waits in registers or L1 until the row is done,
/// so that the compiler sees no overlap between the planes it writes.
const ROW: usize = 64;

impl Cpu {
    /// Applies `map` to every element, on this thread.
    pub(crate) fn map_serial<R: Real, F, const A: usize, const M: usize, const I: usize>(
        self,
        map: F,
        planes: Writes<'_, R, A, M, I>,
    ) where
        F: ElementMap<R, A, M, I>,
    {
        self.dispatch(Map { map, planes });
    }
}

struct Map<'a, R, F, const A: usize, const M: usize, const I: usize> {
    map: F,
    planes: Writes<'a, R, A, M, I>,
}

impl<R: Real, F: ElementMap<R, A, M, I>, const A: usize, const M: usize, const I: usize> Operation
    for Map<'_, R, F, A, M, I>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Writes { out, reads, memory, inputs } = self.planes;
        if SMALL {
            return map_each(self.map, out, reads, memory, inputs);
        }
        let (out_rows, out_tail) = out.as_chunks_mut::<ROW>();
        let (reads, inputs, mut memory) = (rows(reads), rows(inputs), rows_mut(memory));
        let zeros = [R::ZERO; ROW];
        for (row, out_row) in out_rows.iter_mut().enumerate() {
            let (read, input) = (row_of(&reads, row, &zeros), row_of(&inputs, row, &zeros));
            map_row_with_memory(self.map, out_row, read, row_of_mut(&mut memory, row), input);
        }
        map_each(self.map, out_tail, tails(&reads), tails_mut(memory), tails(&inputs));
    }
}

/// One row, its memory copied in and out unless there is one plane only.
#[inline(always)]
fn map_row_with_memory<R: Real, F, const A: usize, const M: usize, const I: usize>(
    map: F,
    out: &mut [R; ROW],
    reads: [&[R; ROW]; A],
    mut memory: [Option<&mut [R; ROW]>; M],
    inputs: [&[R; ROW]; I],
) where
    F: ElementMap<R, A, M, I>,
{
    // The commonest case, written in place: without wide registers the copy would cost a third.
    if M == 1 {
        if let Some(Some(plane)) = memory.first_mut() {
            map_row_in_place(map, out, plane, reads, inputs);
        }
        return;
    }
    let mut remembered = [[R::ZERO; ROW]; M];
    for (k, copy) in remembered.iter_mut().enumerate() {
        if let Some(Some(plane)) = memory.get(k) {
            *copy = **plane;
        }
    }
    map_row(map, out, reads, &mut remembered, inputs);
    for (k, copy) in remembered.iter().enumerate() {
        if let Some(Some(plane)) = memory.get_mut(k) {
            **plane = *copy;
        }
    }
}

/// Element by element: what comes after the last whole row.
#[inline(always)]
fn map_each<R: Real, F, const A: usize, const M: usize, const I: usize>(
    map: F,
    out: &mut [R],
    reads: [&[R]; A],
    mut memory: [&mut [R]; M],
    inputs: [&[R]; I],
) where
    F: ElementMap<R, A, M, I>,
{
    for (i, value) in out.iter_mut().enumerate() {
        let (read, input) = (gather_plane(&reads, i), gather_plane(&inputs, i));
        let (new, remembered) = map.apply(*value, read, gather_mut(&memory, i), input);
        *value = new;
        for (k, copy) in remembered.iter().enumerate() {
            if let Some(slot) = memory.get_mut(k).and_then(|plane| plane.get_mut(i)) {
                *slot = *copy;
            }
        }
    }
}

/// One row. `out` is a parameter of its own: the compiler then knows that it overlaps nothing.
#[inline(always)]
fn map_row<R: Real, F: ElementMap<R, A, M, I>, const A: usize, const M: usize, const I: usize>(
    map: F,
    out: &mut [R; ROW],
    reads: [&[R; ROW]; A],
    memory: &mut [[R; ROW]; M],
    inputs: [&[R; ROW]; I],
) {
    for l in 0..ROW {
        let mut remembered = [R::ZERO; M];
        for (k, value) in remembered.iter_mut().enumerate() {
            *value = memory.get(k).map_or(R::ZERO, |plane| plane[l]);
        }
        let (new, remembered) =
            map.apply(out[l], gather(&reads, l), remembered, gather(&inputs, l));
        out[l] = new;
        for (k, value) in remembered.iter().enumerate() {
            if let Some(plane) = memory.get_mut(k) {
                plane[l] = *value;
            }
        }
    }
}

/// One row of a map with one memory plane (momentum, VaSSO): written in place, without the copy.
#[inline(always)]
fn map_row_in_place<
    R: Real,
    F: ElementMap<R, A, M, I>,
    const A: usize,
    const M: usize,
    const I: usize,
>(
    map: F,
    out: &mut [R; ROW],
    memory: &mut [R; ROW],
    reads: [&[R; ROW]; A],
    inputs: [&[R; ROW]; I],
) {
    for l in 0..ROW {
        let (new, remembered) =
            map.apply(out[l], gather(&reads, l), [memory[l]; M], gather(&inputs, l));
        out[l] = new;
        for value in remembered {
            memory[l] = value;
        }
    }
}
