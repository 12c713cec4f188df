//! Global memory: named buffers with bounds, as the host hands them in.

use crate::code::WINDOW_MASK;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// Buffers start at multiples of this, as a device allocator gives them.
const ALIGNMENT: u64 = 256;
/// Where the first buffer starts; far from zero, so that a null pointer hits nothing.
const FIRST_ADDRESS: u64 = 0x7_0000_0000;
/// Between buffers lies ground that belongs to nobody.
const GAP: u64 = 64 << 10;

/// A buffer of a [`Memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub(crate) usize);

/// The global memory that kernels run in: buffers with a name, an address and an end.
///
/// Whatever a kernel touches outside of a buffer is a fault. Buffers stay from launch to launch, and so do
/// the module's own `.global` variables, which become buffers of their names.
#[derive(Debug, Default)]
pub struct Memory {
    pub(crate) buffers: Vec<Buffer>,
    /// Behind everything that ever was: no address is given twice.
    end: u64,
}

#[derive(Debug)]
pub(crate) struct Buffer {
    pub name: String,
    pub address: u64,
    pub length: u64,
    pub writable: bool,
    /// Bytes that no kernel may write.
    guards: Vec<Range<u64>>,
    /// The first word's address: `address` less its offset.
    start: u64,
    words: Vec<AtomicU32>,
    /// One bit for each byte that was written; None where all are.
    valid: Option<Vec<AtomicU32>>,
    /// A variable of a module, by the module's number: the module must stay the same.
    pub module: Option<u64>,
    is_released: bool,
}

impl Memory {
    /// A memory without buffers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A buffer that holds `bytes`, at an address that is a multiple of 256.
    pub fn buffer(&mut self, name: &str, bytes: &[u8]) -> BufferId {
        self.buffer_at_offset(name, bytes, 0)
    }

    /// A buffer whose address is `offset` bytes behind a multiple of 256: how a slice of a larger array lies.
    pub fn buffer_at_offset(&mut self, name: &str, bytes: &[u8], offset: u64) -> BufferId {
        let id = self.add(name, bytes.len() as u64, offset % ALIGNMENT, true);
        self.write(id, 0, bytes);
        id
    }

    /// A buffer that a kernel may read and must not write.
    pub fn read_only(&mut self, name: &str, bytes: &[u8]) -> BufferId {
        let id = self.buffer(name, bytes);
        self.buffers[id.0].writable = false;
        id
    }

    /// A buffer that no one has written: a kernel that reads a byte before one was written is at fault.
    pub fn uninitialised(&mut self, name: &str, length: usize) -> BufferId {
        let id = self.add(name, length as u64, 0, true);
        let buffer = &mut self.buffers[id.0];
        buffer.valid =
            Some((0..buffer.words.len().div_ceil(8)).map(|_| AtomicU32::new(0)).collect());
        id
    }

    /// Makes it a fault to write these bytes of a buffer, reading them stays allowed. The part beyond the
    /// end has no effect.
    pub fn guard(&mut self, id: BufferId, bytes: Range<u64>) {
        self.buffers[id.0].guards.push(bytes);
    }

    /// The address of a byte of a buffer: a kernel's argument, or an entry of a table of pointers.
    #[must_use]
    pub fn address(&self, id: BufferId, offset: u64) -> u64 {
        self.buffers[id.0].address + offset
    }

    /// The length of a buffer in bytes.
    #[must_use]
    pub fn length(&self, id: BufferId) -> usize {
        usize::try_from(self.buffers[id.0].length).unwrap_or(usize::MAX)
    }

    /// The bytes of a buffer. Those never written are zero.
    #[must_use]
    pub fn bytes(&self, id: BufferId) -> Vec<u8> {
        let buffer = &self.buffers[id.0];
        let lead = usize::try_from(buffer.address - buffer.start).unwrap_or(0);
        let all = buffer.words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes());
        all.skip(lead).take(self.length(id)).collect()
    }

    /// The buffer as little-endian `f32`; bytes behind the last whole one are left out.
    #[must_use]
    pub fn f32s(&self, id: BufferId) -> Vec<f32> {
        self.bytes(id)
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect()
    }

    /// Writes bytes as a host copy does; what would lie beyond the end is left out.
    pub fn write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) {
        let buffer = &mut self.buffers[id.0];
        let lead = buffer.address - buffer.start;
        for (at, &byte) in (offset..buffer.length).zip(bytes) {
            let place = lead + at;
            if let Some(word) =
                buffer.words.get_mut(usize::try_from(place / 4).unwrap_or(usize::MAX))
            {
                let shift = 8 * (place % 4);
                *word.get_mut() = *word.get_mut() & !(0xff << shift) | u32::from(byte) << shift;
            }
            buffer.set_valid(buffer.address + at, 1);
        }
    }

    /// Takes a buffer's bytes away, as a device's free does: what touches them from now on is a fault. Its id may be
    /// given again.
    pub fn release(&mut self, id: BufferId) {
        let Some(buffer) = self.buffers.get_mut(id.0) else { return };
        buffer.length = 0;
        buffer.words = Vec::new();
        buffer.valid = None;
        buffer.guards = Vec::new();
        buffer.is_released = true;
        // A host that takes and frees at every step must not leave a row of the table each time.
        while self.buffers.pop_if(|last| last.is_released).is_some() {}
    }

    /// The buffer of this name, the latest where there are several.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<BufferId> {
        self.buffers.iter().rposition(|buffer| buffer.name == name).map(BufferId)
    }

    pub(crate) fn add(&mut self, name: &str, length: u64, offset: u64, writable: bool) -> BufferId {
        let start = self.end.max(FIRST_ADDRESS).next_multiple_of(ALIGNMENT);
        self.end = start + offset + length + GAP;
        let words = usize::try_from((offset + length).div_ceil(4)).unwrap_or(usize::MAX);
        self.buffers.push(Buffer {
            name: name.to_owned(),
            address: start + offset,
            length,
            writable,
            guards: Vec::new(),
            start,
            words: (0..words).map(|_| AtomicU32::new(0)).collect(),
            valid: None,
            module: None,
            is_released: false,
        });
        BufferId(self.buffers.len() - 1)
    }

    /// The buffer at or before an address.
    pub(crate) fn nearest(&self, address: u64) -> Option<usize> {
        self.buffers.partition_point(|buffer| buffer.address <= address).checked_sub(1)
    }

    /// The buffer that holds all of these bytes.
    pub(crate) fn holding(&self, address: u64, size: u64) -> Option<usize> {
        if address & WINDOW_MASK != 0 {
            return None;
        }
        self.nearest(address).filter(|&number| self.buffers[number].holds(address, size))
    }
}

impl Buffer {
    pub fn holds(&self, address: u64, size: u64) -> bool {
        let offset = address.wrapping_sub(self.address);
        offset < self.length && size <= self.length - offset
    }

    fn word(&self, address: u64) -> Option<&AtomicU32> {
        self.words.get(usize::try_from((address - self.start) / 4).unwrap_or(usize::MAX))
    }

    /// Up to 8 bytes, aligned to their size. The caller has checked the bounds.
    pub fn load(&self, address: u64, size: u32) -> u64 {
        let read = |at| u64::from(self.word(at).map_or(0, |word| word.load(Ordering::Relaxed)));
        match size {
            4 => read(address),
            8 => read(address) | read(address + 4) << 32,
            _ => read(address) >> (8 * (address & 3)) & ((1 << (8 * size)) - 1),
        }
    }

    /// Up to 8 bytes, aligned to their size. The caller has checked the bounds.
    pub fn store(&self, address: u64, size: u32, value: u64) {
        let Some(word) = self.word(address) else { return };
        match size {
            4 => word.store(value as u32, Ordering::Relaxed),
            8 => {
                word.store(value as u32, Ordering::Relaxed);
                if let Some(next) = self.word(address + 4) {
                    next.store((value >> 32) as u32, Ordering::Relaxed);
                }
            }
            _ => {
                // Other threads may write the neighbours of a byte: only its own bits change.
                let shift = 8 * (address & 3);
                let mask = (((1_u64 << (8 * size)) - 1) << shift) as u32;
                let bits = (value << shift) as u32 & mask;
                word.fetch_and(!mask | bits, Ordering::Relaxed);
                word.fetch_or(bits, Ordering::Relaxed);
            }
        }
    }

    pub fn guarded(&self, address: u64, size: u64) -> bool {
        let offset = address - self.address;
        self.guards.iter().any(|guard| offset < guard.end && guard.start < offset + size)
    }

    pub fn has_guards(&self) -> bool {
        !self.guards.is_empty()
    }

    pub fn is_tracked(&self) -> bool {
        self.valid.is_some()
    }

    pub fn set_valid(&self, address: u64, size: u32) {
        if let Some((word, bits)) = self.validity(address, size)
            && word.load(Ordering::Relaxed) & bits != bits
        {
            word.fetch_or(bits, Ordering::Relaxed);
        }
    }

    /// Whether all bytes were written.
    pub fn is_valid(&self, address: u64, size: u32) -> bool {
        self.validity(address, size)
            .is_none_or(|(word, bits)| word.load(Ordering::Relaxed) & bits == bits)
    }

    /// The validity bits of up to 8 aligned bytes; None where nothing is tracked.
    fn validity(&self, address: u64, size: u32) -> Option<(&AtomicU32, u32)> {
        let offset = address - self.start;
        let word = self.valid.as_ref()?.get(usize::try_from(offset / 32).unwrap_or(usize::MAX))?;
        Some((word, ((1 << size) - 1) << (offset % 32)))
    }
}
