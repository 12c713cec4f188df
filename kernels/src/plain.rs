//! [`Plain`]: values that host and device hold in the same bytes.

#![allow(unsafe_code, reason = "promises about layouts, and the one copy that rests on them")]

use core::mem::MaybeUninit;

use crate::layout::{BaseCounters, Chunk, Control, GroupScale, Segment};
use presam::descent::{GsamMix, LookSamReuse, LookSamSplit};
use presam::{LengthRule, LookSam, Part, RuleState};

/// A value made of 32-bit words without padding, every bit pattern of which is a value.
///
/// # Safety
/// `repr(C)` or `repr(transparent)`, a size that is a multiple of 4, an alignment of at least 4, no
/// padding, no reference, no `bool`, no enum.
pub unsafe trait Plain: Copy {}

// SAFETY: numbers, and arrays of them.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for u64 {}
// SAFETY: as above.
unsafe impl Plain for f32 {}
// SAFETY: an array has no padding between its elements.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

macro_rules! plain {
    ($($Type:ty),* $(,)?) => {$(
        // SAFETY: repr(C) structs of f32, f64, i32, u32, u64 and Switch (a u32), fields in an order that
        // needs no padding: the sizes below are the sums of their fields.
        unsafe impl Plain for $Type {}
        const _: () = assert!(size_of::<$Type>() % 4 == 0);
    )*};
}
plain!(Part<f32>, RuleState<f32>, BaseCounters, LengthRule<f32>);
plain!(GsamMix<f32>, LookSamSplit<f32>, LookSamReuse<f32>, LookSam<f32>);
plain!(presam::Gsam<f32>, presam::Saner<f32>, presam::Wsam<f32>);
plain!(Control, GroupScale, Segment, Chunk);

macro_rules! variants {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        plain!($(presam::variants::$Variant<f32>),*);
    };
}
presam::for_each_variant!(variants);

macro_rules! bases {
    ($($module:ident: $Base:ident, state $s:literal;)*) => {
        plain!($(presam::base::$Base<f32>),*);
    };
}
presam::for_each_base!(bases);

/// A value from its words, `word(i)` being the i-th.
#[inline(always)]
pub fn from_words<T: Plain>(word: impl Fn(usize) -> u32) -> T {
    let mut value = MaybeUninit::<T>::uninit();
    let words = value.as_mut_ptr().cast::<u32>();
    for i in 0..size_of::<T>() / 4 {
        // SAFETY: within the value, whose alignment is at least 4.
        unsafe { words.add(i).write(word(i)) };
    }
    // SAFETY: every word was written, and every bit pattern is a value.
    unsafe { value.assume_init() }
}

/// The i-th word of a value; 0 past its end.
#[inline(always)]
pub fn word_of<T: Plain>(value: &T, i: usize) -> u32 {
    if i >= size_of::<T>() / 4 {
        return 0;
    }
    // SAFETY: within the value, which has no padding, so the word is initialised.
    unsafe { core::ptr::from_ref(value).cast::<u32>().add(i).read() }
}

/// The bytes of values, as the device holds them.
#[cfg(not(target_arch = "nvptx64"))]
#[must_use]
pub fn bytes_of<T: Plain>(values: &[T]) -> Vec<u8> {
    let len = size_of_val(values) / 4;
    // SAFETY: the values are words without padding between or within them, and aligned as words are.
    let words = unsafe { core::slice::from_raw_parts(values.as_ptr().cast::<u32>(), len) };
    let mut bytes = vec![0; 4 * len];
    for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *to = word.to_le_bytes();
    }
    bytes
}

/// The values in bytes that the device holds; what is left over is dropped.
#[cfg(not(target_arch = "nvptx64"))]
#[must_use]
pub fn values_of<T: Plain>(bytes: &[u8]) -> Vec<T> {
    let count = bytes.len() / size_of::<T>().max(1);
    let mut values = Vec::<T>::with_capacity(count);
    let words = values.as_mut_ptr().cast::<u32>();
    let len = count * size_of::<T>() / 4;
    for (i, word) in bytes.as_chunks::<4>().0.iter().take(len).enumerate() {
        // SAFETY: below `len`, which is what the room for `count` values holds, aligned as words are.
        unsafe { words.add(i).write(u32::from_le_bytes(*word)) };
    }
    // SAFETY: every word of `count` values was written, and every bit pattern is a value.
    unsafe { values.set_len(count) };
    values
}
