//! The one loop that writes: element by element over planes of one length.

use crate::Cpu;
use crate::Real;
use crate::cpu::Operation;
use crate::pass::ElementMap;

/// Elements worked on at a time: a row's new memory waits in registers or L1 until the row is done,
/// so that the compiler sees no overlap between the planes it writes.
const ROW: usize = 64;

/// The planes a pass reads and writes, all as long as `out`.
pub(crate) struct PlanesMut<'a, R, const A: usize, const M: usize, const I: usize> {
    pub out: &'a mut [R],
    pub reads: [&'a [R]; A],
    pub memory: [&'a mut [R]; M],
    pub inputs: [&'a [R]; I],
}

impl Cpu {
    /// Applies `map` to every element.
    pub(crate) fn map<R: Real, F, const A: usize, const M: usize, const I: usize>(
        self,
        map: F,
        planes: PlanesMut<'_, R, A, M, I>,
    ) where
        F: ElementMap<R, A, M, I>,
    {
        #[cfg(feature = "rayon")]
        if self.parallel && planes.out.len() >= crate::parallel::SHORTEST {
            return crate::parallel::map(self, map, planes);
        }
        self.map_serial(map, planes);
    }

    pub(crate) fn map_serial<R: Real, F, const A: usize, const M: usize, const I: usize>(
        self,
        map: F,
        planes: PlanesMut<'_, R, A, M, I>,
    ) where
        F: ElementMap<R, A, M, I>,
    {
        self.dispatch(Map { map, planes });
    }
}

struct Map<'a, R, F, const A: usize, const M: usize, const I: usize> {
    map: F,
    planes: PlanesMut<'a, R, A, M, I>,
}

impl<R: Real, F: ElementMap<R, A, M, I>, const A: usize, const M: usize, const I: usize> Operation
    for Map<'_, R, F, A, M, I>
{
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let PlanesMut { out, reads, memory, inputs } = self.planes;
        let (out_rows, out_tail) = out.as_chunks_mut::<ROW>();
        let reads = reads.map(|plane| plane.as_chunks::<ROW>());
        let inputs = inputs.map(|plane| plane.as_chunks::<ROW>());
        let mut memory = memory.map(|plane| plane.as_chunks_mut::<ROW>());
        let zeros = [R::ZERO; ROW];
        for (row, out_row) in out_rows.iter_mut().enumerate() {
            // Every plane has this row; `unwrap_or` keeps a panic out of the code.
            let read = reads.map(|(rows, _)| rows.get(row).unwrap_or(&zeros));
            let input = inputs.map(|(rows, _)| rows.get(row).unwrap_or(&zeros));
            let memory = memory.each_mut().map(|(rows, _)| rows.get_mut(row));
            map_row_with_memory(self.map, out_row, read, memory, input);
        }
        let reads = reads.map(|(_, tail)| tail);
        let inputs = inputs.map(|(_, tail)| tail);
        map_tail(self.map, out_tail, reads, memory.map(|(_, tail)| tail), inputs);
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
    for (copy, plane) in remembered.iter_mut().zip(&memory) {
        if let Some(plane) = plane {
            *copy = **plane;
        }
    }
    map_row(map, out, reads, &mut remembered, inputs);
    for (copy, plane) in remembered.iter().zip(&mut memory) {
        if let Some(plane) = plane {
            **plane = *copy;
        }
    }
}

/// The elements after the last whole row.
#[inline(always)]
fn map_tail<R: Real, F, const A: usize, const M: usize, const I: usize>(
    map: F,
    out: &mut [R],
    reads: [&[R]; A],
    mut memory: [&mut [R]; M],
    inputs: [&[R]; I],
) where
    F: ElementMap<R, A, M, I>,
{
    let at = |plane: &[R], i: usize| plane.get(i).copied().unwrap_or(R::ZERO);
    for (i, value) in out.iter_mut().enumerate() {
        let remembered = memory.each_ref().map(|plane| at(plane, i));
        let read = reads.map(|plane| at(plane, i));
        let (new, remembered) =
            map.apply(*value, read, remembered, inputs.map(|plane| at(plane, i)));
        *value = new;
        for (copy, plane) in remembered.iter().zip(&mut memory) {
            if let Some(slot) = plane.get_mut(i) {
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
        for (value, plane) in remembered.iter_mut().zip(memory.iter()) {
            *value = plane[l];
        }
        let (new, remembered) =
            map.apply(out[l], reads.map(|r| r[l]), remembered, inputs.map(|r| r[l]));
        out[l] = new;
        for (value, plane) in remembered.iter().zip(memory.iter_mut()) {
            plane[l] = *value;
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
            map.apply(out[l], reads.map(|r| r[l]), [memory[l]; M], inputs.map(|r| r[l]));
        out[l] = new;
        for value in remembered {
            memory[l] = value;
        }
    }
}
