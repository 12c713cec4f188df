//! The planes of one pass and how they are cut: [`Reads`] for a sum, [`Writes`] for a map.
//!
//! The functions here know a scalar, a row length and a number of planes, but no rule: a closure inside
//! a loop would be compiled anew for every rule. What is called for an element or a row is a plain loop
//! over its planes: `array::map` and `zip` are several functions each, not all of which are inlined without
//! link-time optimization (`lto = "off"`: a step was 90 times slower).

use crate::real::Real;

/// The planes a pass reads, all of one length.
#[derive(Clone, Copy)]
pub(crate) struct Reads<'a, R, const A: usize, const M: usize, const I: usize> {
    pub reads: [&'a [R]; A],
    pub memory: [&'a [R]; M],
    pub inputs: [&'a [R]; I],
}

impl<R, const A: usize, const M: usize, const I: usize> Reads<'_, R, A, M, I> {
    pub fn len(&self) -> usize {
        self.reads.first().map_or(0, |plane| plane.len())
    }

    /// Both sides of a cut at `middle`.
    #[inline]
    pub fn split_at(self, middle: usize) -> (Self, Self) {
        let (reads, memory, inputs) =
            (halves(self.reads, middle), halves(self.memory, middle), halves(self.inputs, middle));
        (
            Self { reads: reads.0, memory: memory.0, inputs: inputs.0 },
            Self { reads: reads.1, memory: memory.1, inputs: inputs.1 },
        )
    }
}

/// The planes a pass reads and writes, all as long as `out`.
pub(crate) struct Writes<'a, R, const A: usize, const M: usize, const I: usize> {
    pub out: &'a mut [R],
    pub reads: [&'a [R]; A],
    pub memory: [&'a mut [R]; M],
    pub inputs: [&'a [R]; I],
}

impl<R, const A: usize, const M: usize, const I: usize> Writes<'_, R, A, M, I> {
    /// Both sides of a cut at `middle`, or everything and nothing past the end.
    #[inline]
    pub fn split_at(self, middle: usize) -> (Self, Self) {
        let (out, reads) = (cut_mut(self.out, middle), halves(self.reads, middle));
        let (memory, inputs) = (halves_mut(self.memory, middle), halves(self.inputs, middle));
        (
            Self { out: out.0, reads: reads.0, memory: memory.0, inputs: inputs.0 },
            Self { out: out.1, reads: reads.1, memory: memory.1, inputs: inputs.1 },
        )
    }
}

#[inline]
fn cut<R>(plane: &[R], middle: usize) -> (&[R], &[R]) {
    plane.split_at_checked(middle).unwrap_or((plane, &[]))
}

#[inline]
pub(crate) fn cut_mut<R>(plane: &mut [R], middle: usize) -> (&mut [R], &mut [R]) {
    let middle = middle.min(plane.len());
    plane.split_at_mut_checked(middle).unwrap_or_default()
}

/// `to` and `from` are of one length; where they are not, nothing is copied (and no panic is in the code).
#[inline]
pub(crate) fn copy_chunk<R: Copy>(to: &mut [R], from: &[R]) {
    if to.len() == from.len() {
        to.copy_from_slice(from);
    }
}

#[inline]
fn halves<R, const K: usize>(planes: [&[R]; K], middle: usize) -> ([&[R]; K], [&[R]; K]) {
    let (mut left, mut right) = ([&[][..]; K], [&[][..]; K]);
    let mut planes = planes.into_iter();
    for (k, slot) in left.iter_mut().enumerate() {
        if let (Some(plane), Some(rest)) = (planes.next(), right.get_mut(k)) {
            (*slot, *rest) = cut(plane, middle);
        }
    }
    (left, right)
}

#[inline]
fn halves_mut<'a, R, const K: usize>(
    planes: [&'a mut [R]; K],
    middle: usize,
) -> ([&'a mut [R]; K], [&'a mut [R]; K]) {
    let mut left: [&'a mut [R]; K] = core::array::from_fn(|_| [].as_mut_slice());
    let mut right: [&'a mut [R]; K] = core::array::from_fn(|_| [].as_mut_slice());
    let mut planes = planes.into_iter();
    for (k, slot) in left.iter_mut().enumerate() {
        if let (Some(plane), Some(rest)) = (planes.next(), right.get_mut(k)) {
            (*slot, *rest) = cut_mut(plane, middle);
        }
    }
    (left, right)
}

/// A plane as whole rows and the rest.
pub(crate) type Rows<'a, R, const L: usize> = (&'a [[R; L]], &'a [R]);
/// The same, to be written.
pub(crate) type RowsMut<'a, R, const L: usize> = (&'a mut [[R; L]], &'a mut [R]);

#[inline(always)]
pub(crate) fn rows<R, const L: usize, const K: usize>(planes: [&[R]; K]) -> [Rows<'_, R, L>; K] {
    let mut found: [Rows<'_, R, L>; K] = [(&[], &[]); K];
    let mut planes = planes.into_iter();
    for slot in &mut found {
        *slot = planes.next().unwrap_or_default().as_chunks::<L>();
    }
    found
}

#[inline(always)]
pub(crate) fn rows_mut<R, const L: usize, const K: usize>(
    planes: [&mut [R]; K],
) -> [RowsMut<'_, R, L>; K] {
    let mut found: [RowsMut<'_, R, L>; K] = core::array::from_fn(|_| Default::default());
    let mut planes = planes.into_iter();
    for slot in &mut found {
        *slot = planes.next().unwrap_or_default().as_chunks_mut::<L>();
    }
    found
}

/// Row `row` of every plane. Each has it; `unwrap_or` keeps a panic out of the code.
#[inline(always)]
pub(crate) fn row_of<'a, R, const L: usize, const K: usize>(
    planes: &[Rows<'a, R, L>; K],
    row: usize,
    zeros: &'a [R; L],
) -> [&'a [R; L]; K] {
    let mut found = [zeros; K];
    for (k, slot) in found.iter_mut().enumerate() {
        *slot = planes.get(k).and_then(|(rows, _)| rows.get(row)).unwrap_or(zeros);
    }
    found
}

#[inline(always)]
pub(crate) fn row_of_mut<'a, R, const L: usize, const K: usize>(
    planes: &'a mut [RowsMut<'_, R, L>; K],
    row: usize,
) -> [Option<&'a mut [R; L]>; K] {
    let mut found = [const { None }; K];
    let mut planes = planes.iter_mut();
    for slot in &mut found {
        *slot = planes.next().and_then(|(rows, _)| rows.get_mut(row));
    }
    found
}

/// Element `l` of every row.
#[inline(always)]
pub(crate) fn gather<R: Real, const L: usize, const K: usize>(
    rows: &[&[R; L]; K],
    l: usize,
) -> [R; K] {
    let mut values = [R::ZERO; K];
    for (k, value) in values.iter_mut().enumerate() {
        *value = rows.get(k).and_then(|row| row.get(l)).copied().unwrap_or(R::ZERO);
    }
    values
}

/// The rest of every plane after its whole rows.
#[inline(always)]
pub(crate) fn tails<'a, R, const L: usize, const K: usize>(
    planes: &[Rows<'a, R, L>; K],
) -> [&'a [R]; K] {
    let mut found: [&[R]; K] = [&[]; K];
    for (k, slot) in found.iter_mut().enumerate() {
        *slot = planes.get(k).map_or(&[][..], |(_, tail)| tail);
    }
    found
}

/// Element `i` of every plane.
#[inline(always)]
pub(crate) fn gather_plane<R: Real, const K: usize>(planes: &[&[R]; K], i: usize) -> [R; K] {
    let mut values = [R::ZERO; K];
    for (k, value) in values.iter_mut().enumerate() {
        *value = planes.get(k).and_then(|plane| plane.get(i)).copied().unwrap_or(R::ZERO);
    }
    values
}

#[inline(always)]
pub(crate) fn tails_mut<R, const L: usize, const K: usize>(
    planes: [RowsMut<'_, R, L>; K],
) -> [&mut [R]; K] {
    let mut found: [&mut [R]; K] = core::array::from_fn(|_| [].as_mut_slice());
    let mut planes = planes.into_iter();
    for slot in &mut found {
        *slot = planes.next().map_or(&mut [][..], |(_, tail)| tail);
    }
    found
}

/// Element `i` of every plane that is written.
#[inline(always)]
pub(crate) fn gather_mut<R: Real, const K: usize>(planes: &[&mut [R]; K], i: usize) -> [R; K] {
    let mut values = [R::ZERO; K];
    for (k, value) in values.iter_mut().enumerate() {
        *value = planes.get(k).and_then(|plane| plane.get(i)).copied().unwrap_or(R::ZERO);
    }
    values
}
