//! [`Block`]: a block in lockstep.

use std::cell::RefCell;

use super::memory::{Fault, Memory};
use crate::team::{Shuffled, THREADS, Team, WARP};
use crate::{narrow, widen};

/// Words of shared memory, as the GPU's declaration has them.
const SHARED: usize = 2304;

/// The threads of a block: element t of an array is thread t's.
pub struct Block<'m> {
    memory: &'m RefCell<&'m mut Memory>,
    shared: RefCell<[Option<u32>; SHARED]>,
    fault: RefCell<Option<Fault>>,
    block: u32,
    blocks: u32,
    /// Threads are walked from the last to the first: no order may matter.
    reversed: bool,
}

impl<'m> Block<'m> {
    /// Block `block` of `blocks`; its threads are walked from the last to the first where `reversed`.
    pub(super) fn new(
        memory: &'m RefCell<&'m mut Memory>,
        [block, blocks]: [u32; 2],
        reversed: bool,
    ) -> Self {
        let (shared, fault) = (RefCell::new([None; SHARED]), RefCell::new(None));
        Self { memory, shared, fault, block, blocks, reversed }
    }

    /// The first fault of any thread, once the body has run.
    pub(super) fn into_fault(self) -> Option<Fault> {
        self.fault.into_inner()
    }

    /// The value, or zero after noting the block's first fault.
    fn noted<T: Default>(&self, value: Result<T, Fault>) -> T {
        value.unwrap_or_else(|fault| {
            self.fault.borrow_mut().get_or_insert(fault);
            T::default()
        })
    }

    fn get<const N: usize>(&self, address: u64) -> [u8; N]
    where
        [u8; N]: Default,
    {
        self.noted(self.memory.borrow_mut().get(address))
    }

    fn set<const N: usize>(&self, address: u64, bytes: [u8; N]) {
        self.noted(self.memory.borrow_mut().set(address, bytes));
    }

    /// Threads in the order of this block.
    fn threads(&self) -> impl Iterator<Item = u32> {
        let reversed = self.reversed;
        (0..THREADS).map(move |thread| if reversed { THREADS - 1 - thread } else { thread })
    }
}

/// The words of a 16-byte access.
fn words(bytes: [u8; 16]) -> [u32; 4] {
    let (words, _) = bytes.as_chunks::<4>();
    std::array::from_fn(|i| words.get(i).map_or(0, |word| u32::from_le_bytes(*word)))
}

impl Team for Block<'_> {
    type Each<T: Copy> = [T; THREADS as usize];

    fn block(&self) -> u32 {
        self.block
    }

    fn blocks(&self) -> u32 {
        self.blocks
    }

    #[inline]
    fn each<T: Copy>(&self, mut f: impl FnMut(u32) -> T) -> Self::Each<T> {
        // No `array::map`: it would be compiled again for the closure of each call.
        let mut threads = self.threads();
        let mut values = [f(threads.next().unwrap_or(0)); THREADS as usize];
        for thread in threads {
            values[thread as usize] = f(thread);
        }
        values
    }

    #[inline]
    fn map<T: Copy, U: Copy>(
        &self,
        values: Self::Each<T>,
        mut f: impl FnMut(u32, T) -> U,
    ) -> Self::Each<U> {
        self.each(|thread| f(thread, values[thread as usize]))
    }

    fn zip<A: Copy, B: Copy>(&self, a: Self::Each<A>, b: Self::Each<B>) -> Self::Each<(A, B)> {
        std::array::from_fn(|thread| (a[thread], b[thread]))
    }

    fn shuffle_down<T: Shuffled>(&self, values: Self::Each<T>, by: u32) -> Self::Each<T> {
        std::array::from_fn(|thread| {
            let lane = thread as u32 % WARP;
            let from = if lane + by < WARP { thread + by as usize } else { thread };
            values[from]
        })
    }

    fn broadcast<T: Shuffled>(&self, values: Self::Each<T>) -> Self::Each<T> {
        std::array::from_fn(|thread| values[thread - thread % WARP as usize])
    }

    fn any(&self, values: Self::Each<bool>) -> bool {
        let is_one = |warp: &[bool]| warp.iter().all(|value| Some(value) == warp.first());
        debug_assert!(values.chunks(WARP as usize).all(is_one), "lanes of a warp that part");
        values.contains(&true)
    }

    fn barrier(&self) {}

    fn share(&self, index: u32, word: u32) {
        match self.shared.borrow_mut().get_mut(index as usize) {
            Some(slot) => *slot = Some(word),
            None => self.noted(Err(Fault::Shared { index })),
        }
    }

    fn shared(&self, index: u32) -> u32 {
        let word = self.shared.borrow().get(index as usize).copied().flatten();
        self.noted(word.ok_or(Fault::Shared { index }))
    }

    fn shared_words<const N: usize>(&self, index: u32) -> [u32; N] {
        if !index.is_multiple_of(N as u32) {
            self.noted(Err(Fault::Shared { index }))
        }
        std::array::from_fn(|i| self.shared(index + i as u32))
    }

    fn half(&self, address: u64) -> u16 {
        u16::from_le_bytes(self.get(address))
    }

    fn word(&self, address: u64) -> u32 {
        u32::from_le_bytes(self.get(address))
    }

    fn two(&self, address: u64) -> [u32; 2] {
        let both = u64::from_le_bytes(self.get(address));
        [both as u32, (both >> 32) as u32]
    }

    fn four(&self, address: u64) -> [u32; 4] {
        words(self.get(address))
    }

    fn set_word(&self, address: u64, word: u32) {
        self.set(address, word.to_le_bytes());
    }

    fn set_four(&self, address: u64, words: [u32; 4]) {
        let mut bytes = [0; 16];
        for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        self.set(address, bytes);
    }

    fn set_two(&self, address: u64, [a, b]: [u32; 2]) {
        self.set(address, (u64::from(a) | u64::from(b) << 32).to_le_bytes());
    }

    fn set_half(&self, address: u64, half: u16) {
        self.set(address, half.to_le_bytes());
    }

    fn f16_to_f32(&self, bits: u16) -> f32 {
        widen::f16(bits)
    }

    fn f32_to_f16(&self, value: f32) -> u16 {
        narrow::f16(value)
    }

    fn add(&self, address: u64, by: u32) -> u32 {
        let old = self.word(address);
        self.set_word(address, old.wrapping_add(by));
        old
    }

    fn fence(&self) {}

    fn row<T>(&self, address: u64, len: u32, f: impl FnOnce(&mut [f32]) -> T) -> T {
        let at = |i: u32| address + 4 * u64::from(i);
        let mut row: Vec<f32> = (0..len).map(|i| f32::from_bits(self.word(at(i)))).collect();
        let value = f(&mut row);
        for (i, value) in (0..len).zip(row) {
            self.set_word(at(i), value.to_bits());
        }
        value
    }
}
