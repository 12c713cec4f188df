//! [`Team`]: what a kernel body may ask of the threads of its block.
//!
//! The threads run in lockstep: a value that each thread has is an [`Each`](Team::Each). On a GPU that
//! is the thread's own scalar, on the host an array with one element a thread.

use presam::Part;

use crate::layout::PART_BYTES;
use crate::plain::{Plain, from_words, word_of};

/// Threads of a block, for every kernel.
pub const THREADS: u32 = 256;
/// Threads of a warp.
pub const WARP: u32 = 32;
/// Warps of a block.
pub const WARPS: u32 = THREADS / WARP;

/// The threads of a block in lockstep, their shared memory, and the device's memory.
///
/// Flow that depends on a value must be the same for all threads of a warp around
/// [`shuffle_down`](Team::shuffle_down) and [`broadcast`](Team::broadcast), for all threads of the
/// block around [`barrier`](Team::barrier); within [`each`](Team::each) it is free.
pub trait Team {
    /// A value that each thread has.
    type Each<T: Copy>: Copy;

    /// The number of this block.
    fn block(&self) -> u32;
    /// The number of blocks.
    fn blocks(&self) -> u32;

    /// What `f` gives for each thread, numbered from 0 in the block.
    fn each<T: Copy>(&self, f: impl FnMut(u32) -> T) -> Self::Each<T>;
    /// What `f` makes of each thread's value.
    fn map<T: Copy, U: Copy>(
        &self,
        values: Self::Each<T>,
        f: impl FnMut(u32, T) -> U,
    ) -> Self::Each<U>;

    /// Both values of each thread.
    fn zip<A: Copy, B: Copy>(&self, a: Self::Each<A>, b: Self::Each<B>) -> Self::Each<(A, B)>;

    /// Each lane gets the value of the lane `by` further in its warp; the last ones an arbitrary one.
    fn shuffle_down<T: Shuffled>(&self, values: Self::Each<T>, by: u32) -> Self::Each<T>;
    /// Each lane gets the value of its warp's first lane.
    fn broadcast<T: Shuffled>(&self, values: Self::Each<T>) -> Self::Each<T>;
    /// Whether any thread says yes. On a GPU the thread's own answer: it must be the same over a warp,
    /// and over the block where a barrier follows.
    fn any(&self, values: Self::Each<bool>) -> bool;

    /// Waits for the whole block: what was shared before is seen after.
    fn barrier(&self);
    /// Writes a word of the block's shared memory.
    fn share(&self, index: u32, word: u32);
    /// Reads a word of the block's shared memory.
    fn shared(&self, index: u32) -> u32;
    /// Reads 2 or 4 words of it at once, from an index that is a multiple of as many.
    fn shared_words<const N: usize>(&self, index: u32) -> [u32; N];

    /// 2 bytes of device memory.
    fn half(&self, address: u64) -> u16;
    /// 4 bytes.
    fn word(&self, address: u64) -> u32;
    /// 8 bytes at once, from an address that is a multiple of 8.
    fn two(&self, address: u64) -> [u32; 2];
    /// 16 bytes at once, from an address that is a multiple of 16.
    fn four(&self, address: u64) -> [u32; 4];
    /// Writes 4 bytes.
    fn set_word(&self, address: u64, word: u32);
    /// Writes 16 bytes at once, to an address that is a multiple of 16.
    fn set_four(&self, address: u64, words: [u32; 4]);
    /// Writes 8 bytes at once, to an address that is a multiple of 8.
    fn set_two(&self, address: u64, words: [u32; 2]);
    /// Writes 2 bytes.
    fn set_half(&self, address: u64, half: u16);
    /// binary16 as an `f32`, exactly: [`widen::f16`](crate::widen::f16), or the hardware's own.
    fn f16_to_f32(&self, bits: u16) -> f32;
    /// The nearest binary16: [`narrow::f16`](crate::narrow::f16), or the hardware's own.
    fn f32_to_f16(&self, value: f32) -> u16;
    /// Adds to a word in one piece and returns its old value; orders nothing.
    fn add(&self, address: u64, by: u32) -> u32;
    /// Orders all memory access before it with all after it, as seen from any block.
    fn fence(&self);

    /// `f` over `len` consecutive floats, which no other thread touches meanwhile.
    fn row<T>(&self, address: u64, len: u32, f: impl FnOnce(&mut [f32]) -> T) -> T;

    /// A value from memory.
    #[inline(always)]
    fn load<T: Plain>(&self, address: u64) -> T {
        from_words(|i| self.word(address + 4 * i as u64))
    }

    /// A value into memory.
    #[inline(always)]
    fn store<T: Plain>(&self, address: u64, value: T) {
        for i in 0..size_of::<T>() / 4 {
            self.set_word(address + 4 * i as u64, word_of(&value, i));
        }
    }

    /// A chunk's or subtree's sums, in one access.
    #[inline(always)]
    fn part(&self, parts: u64, index: u32) -> Part<f32> {
        let [sum, statistic, class, _] = self.four(parts + PART_BYTES * u64::from(index));
        Part {
            sum: f32::from_bits(sum),
            statistic: f32::from_bits(statistic),
            class: class.cast_signed(),
        }
    }

    /// Writes a chunk's or subtree's sums, in one access.
    #[inline(always)]
    fn set_part(&self, parts: u64, index: u32, part: Part<f32>) {
        let words = [part.sum.to_bits(), part.statistic.to_bits(), part.class.cast_unsigned(), 0];
        self.set_four(parts + PART_BYTES * u64::from(index), words);
    }
}

/// The lane of a thread in its warp.
#[inline(always)]
pub const fn lane(thread: u32) -> u32 {
    thread % WARP
}

/// A value that travels between lanes word by word.
pub trait Shuffled: Copy {
    /// The value with every word replaced.
    #[must_use]
    fn map_words(self, f: impl Fn(u32) -> u32) -> Self;
}

impl Shuffled for f32 {
    #[inline(always)]
    fn map_words(self, f: impl Fn(u32) -> u32) -> Self {
        Self::from_bits(f(self.to_bits()))
    }
}

impl<const N: usize> Shuffled for [f32; N] {
    #[inline(always)]
    fn map_words(self, f: impl Fn(u32) -> u32) -> Self {
        self.map(|value| value.map_words(&f))
    }
}

impl Shuffled for Part<f32> {
    #[inline(always)]
    fn map_words(self, f: impl Fn(u32) -> u32) -> Self {
        Self {
            sum: self.sum.map_words(&f),
            statistic: self.statistic.map_words(&f),
            class: f(self.class.cast_unsigned()).cast_signed(),
        }
    }
}
