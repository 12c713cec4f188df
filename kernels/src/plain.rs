//! [`Plain`]: values that host and device hold in the same bytes.

#![allow(unsafe_code, reason = "promises about layouts, and the one copy that rests on them")]

use core::mem::MaybeUninit;
#[cfg(not(target_arch = "nvptx64"))]
use std::{alloc::Layout, convert::Infallible};

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

#[cfg(target_endian = "big")]
compile_error!("a device's numbers are little endian, and so must be those of its host");

/// The bytes of values, as the device holds them.
#[cfg(not(target_arch = "nvptx64"))]
#[must_use]
pub const fn bytes_of<T: Plain>(values: &[T]) -> &[u8] {
    // SAFETY: the values are words without padding between or within them: initialised bytes, all of them.
    unsafe { core::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// So many values from the bytes that `read` fills in, as the device holds them: no byte is moved twice.
///
/// # Errors
/// Those of `read`.
#[cfg(not(target_arch = "nvptx64"))]
pub fn values_read<T: Plain, E>(
    count: usize,
    read: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Result<Vec<T>, E> {
    let mut values = zeros::<T>(count);
    let len = size_of_val(values.as_slice());
    // SAFETY: the values are words without padding between or within them, and whatever bytes are written are values.
    let bytes = unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast::<u8>(), len) };
    read(bytes)?;
    Ok(values)
}

/// Values of zeros, in memory that the system hands out as such: no loop writes them.
#[cfg(not(target_arch = "nvptx64"))]
fn zeros<T: Plain>(count: usize) -> Vec<T> {
    let layout = match Layout::array::<T>(count) {
        Ok(layout) if layout.size() > 0 => layout,
        // None to write, or more than there is memory: the vector's own answer to that.
        _ => return vec![from_words(|_| 0); count],
    };
    // SAFETY: the size is not 0.
    let start = unsafe { std::alloc::alloc_zeroed(layout) };
    if start.is_null() {
        std::alloc::handle_alloc_error(layout);
    }
    // SAFETY: the global allocator gave room for `count` values in just this layout; zeros are values.
    unsafe { Vec::from_raw_parts(start.cast(), count, count) }
}

/// The values in bytes that the device holds; what is left over is dropped.
#[cfg(not(target_arch = "nvptx64"))]
#[must_use]
pub fn values_of<T: Plain>(bytes: &[u8]) -> Vec<T> {
    let count = bytes.len() / size_of::<T>().max(1);
    let copied = values_read(count, |to| {
        to.copy_from_slice(&bytes[..to.len()]);
        Ok::<_, Infallible>(())
    });
    match copied {
        Ok(values) => values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every conversion must agree with: word by word.
    fn word_by_word<T: Plain>(values: &[T]) -> Vec<u8> {
        let words = |value| (0..size_of::<T>() / 4).map(move |i| word_of(value, i).to_le_bytes());
        values.iter().flat_map(words).flatten().collect()
    }

    #[test]
    fn values_go_to_bytes_and_back_in_every_bit() {
        let floats: Vec<f32> =
            [0, 0x8000_0000, 1, 0x7fc0_0001, 0xff80_0000, 0x3f80_1234].map(f32::from_bits).into();
        let bytes = bytes_of(&floats);
        assert_eq!(bytes, word_by_word(&floats));
        assert_eq!(&bytes[20..], [0x34, 0x12, 0x80, 0x3f]);
        let back: Vec<f32> = values_of(bytes);
        assert!(back.iter().zip(&floats).all(|(a, b)| a.to_bits() == b.to_bits()));
        let rows = [[1_u64 << 40, 2], [3, 4]];
        assert_eq!(from_words::<[[u64; 2]; 2]>(|i| word_of(&rows, i)), rows);
        assert_eq!(bytes_of(&rows), word_by_word(&rows));
        assert_eq!(values_of::<[u64; 2]>(bytes_of(&rows)), rows);
        // What is left over is dropped; nothing gives nothing.
        assert_eq!(values_of::<u32>(&[1, 0, 0, 0, 9, 9]), [1]);
        assert!(values_of::<Chunk>(&[0; 3]).is_empty() && bytes_of::<u32>(&[]).is_empty());
        assert!(values_of::<[u32; 0]>(&[1]).iter().all(|none| none.is_empty()));
    }

    #[test]
    fn a_read_that_fails_is_told_and_one_that_writes_nothing_leaves_zeros() {
        assert_eq!(values_read::<u32, _>(3, |_| Err("no")), Err("no"));
        let twice = values_read::<u64, usize>(2, |bytes| match bytes.len() {
            16 => Ok(()),
            other => Err(other),
        });
        assert_eq!(twice, Ok(vec![0; 2]));
    }
}
