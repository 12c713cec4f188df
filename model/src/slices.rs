//! Cuts that cannot panic.
//!
//! Lengths are checked once, at the door; behind it these cuts are exact. They clamp instead of
//! panicking (a width is at least 1, a cut within its slice), so that no panic is left in the
//! program at all.

use core::slice::{Chunks, ChunksExact, ChunksExactMut, ChunksMut};

/// The first `len` elements, and the rest.
pub(crate) fn cut<T>(slice: &[T], len: usize) -> (&[T], &[T]) {
    slice.split_at(len.min(slice.len()))
}

/// The first `len` elements, and the rest.
pub(crate) fn cut_mut<T>(slice: &mut [T], len: usize) -> (&mut [T], &mut [T]) {
    slice.split_at_mut(len.min(slice.len()))
}

/// All but the last `len` elements, and those.
pub(crate) fn cut_end<T>(slice: &[T], len: usize) -> (&[T], &[T]) {
    slice.split_at(slice.len().saturating_sub(len))
}

/// All but the last `len` elements, and those.
pub(crate) fn cut_end_mut<T>(slice: &mut [T], len: usize) -> (&mut [T], &mut [T]) {
    slice.split_at_mut(slice.len().saturating_sub(len))
}

/// Whole rows of `width` elements.
#[inline(always)]
pub(crate) fn rows<T>(slice: &[T], width: usize) -> ChunksExact<'_, T> {
    slice.chunks_exact(width.max(1))
}

/// Whole rows of `width` elements.
#[inline(always)]
pub(crate) fn rows_mut<T>(slice: &mut [T], width: usize) -> ChunksExactMut<'_, T> {
    slice.chunks_exact_mut(width.max(1))
}

/// Blocks of `len` elements, the last one shorter.
#[inline(always)]
pub(crate) fn blocks<T>(slice: &[T], len: usize) -> Chunks<'_, T> {
    slice.chunks(len.max(1))
}

/// Blocks of `len` elements, the last one shorter.
#[inline(always)]
pub(crate) fn blocks_mut<T>(slice: &mut [T], len: usize) -> ChunksMut<'_, T> {
    slice.chunks_mut(len.max(1))
}
