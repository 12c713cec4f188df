//! [`Memory`]: buffers at made-up addresses, every access checked.

use std::collections::BTreeMap;
use std::fmt;

/// Addresses of buffers are multiples of this, as a GPU's allocator has them.
const GRAIN: u64 = 256;

/// An access that no kernel may make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Outside of every buffer.
    OutOfBounds {
        /// Where.
        address: u64,
        /// Bytes.
        bytes: u64,
    },
    /// Not on a multiple of its size.
    Misaligned {
        /// Where.
        address: u64,
        /// Bytes.
        bytes: u64,
    },
    /// Bytes that nobody wrote.
    Uninitialised {
        /// Where.
        address: u64,
        /// Bytes.
        bytes: u64,
    },
    /// A word of shared memory outside of the block's.
    Shared {
        /// Its index.
        index: u32,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { address, bytes } => {
                write!(f, "access to {bytes} bytes at {address:#x}, outside of every buffer")
            }
            Self::Misaligned { address, bytes } => {
                write!(f, "misaligned access to {bytes} bytes at {address:#x}")
            }
            Self::Uninitialised { address, bytes } => {
                write!(f, "read of {bytes} bytes at {address:#x} that were never written")
            }
            Self::Shared { index } => write!(f, "shared memory has no word {index}"),
        }
    }
}

struct Buffer {
    bytes: Vec<u8>,
    written: Vec<bool>,
}

/// The memory of an emulated device.
#[derive(Default)]
pub struct Memory {
    buffers: BTreeMap<u64, Buffer>,
    next: u64,
    /// The buffer of the last access: the next one is mostly in it too.
    last: u64,
}

impl Memory {
    /// No buffer yet.
    #[must_use]
    pub fn new() -> Self {
        Self { next: GRAIN, ..Self::default() }
    }

    /// A buffer of so many bytes, never written.
    pub fn allocate(&mut self, bytes: usize) -> u64 {
        let address = self.next;
        // A grain is left free behind each buffer: an access past its end meets nothing.
        self.next += (bytes as u64).next_multiple_of(GRAIN) + GRAIN;
        let buffer = Buffer { bytes: vec![0xa5; bytes], written: vec![false; bytes] };
        self.buffers.insert(address, buffer);
        address
    }

    /// Gives a buffer back; whether there was one at this address.
    pub fn free(&mut self, address: u64) -> bool {
        self.buffers.remove(&address).is_some()
    }

    /// The buffer that holds these bytes, and where in it.
    fn find(&mut self, address: u64, bytes: u64) -> Result<(&mut Buffer, usize), Fault> {
        let out = Fault::OutOfBounds { address, bytes };
        let inside = |base: u64, buffer: &Buffer| {
            let offset = address.checked_sub(base)?;
            let end = offset.checked_add(bytes)?;
            (end <= buffer.bytes.len() as u64).then_some(offset as usize)
        };
        let hit = self.buffers.get(&self.last).is_some_and(|b| inside(self.last, b).is_some());
        if !hit {
            let (&base, _) = self.buffers.range(..=address).next_back().ok_or(out.clone())?;
            self.last = base;
        }
        let base = self.last;
        let buffer = self.buffers.get_mut(&base).ok_or(out.clone())?;
        let offset = inside(base, buffer).ok_or(out)?;
        Ok((buffer, offset))
    }

    /// Copies out of memory.
    ///
    /// # Errors
    /// Outside of a buffer, or where a byte was never written.
    pub fn read(&mut self, address: u64, to: &mut [u8]) -> Result<(), Fault> {
        let bytes = to.len() as u64;
        let (buffer, at) = self.find(address, bytes)?;
        let range = at..at + to.len();
        let written = buffer.written.get(range.clone()).unwrap_or_default();
        if !written.iter().all(|&written| written) {
            return Err(Fault::Uninitialised { address, bytes });
        }
        to.copy_from_slice(buffer.bytes.get(range).unwrap_or_default());
        Ok(())
    }

    /// Copies into memory.
    ///
    /// # Errors
    /// Outside of a buffer; nothing is written.
    pub fn write(&mut self, address: u64, from: &[u8]) -> Result<(), Fault> {
        let (buffer, at) = self.find(address, from.len() as u64)?;
        let range = at..at + from.len();
        if let Some(bytes) = buffer.bytes.get_mut(range.clone()) {
            bytes.copy_from_slice(from);
        }
        if let Some(written) = buffer.written.get_mut(range) {
            written.fill(true);
        }
        Ok(())
    }

    /// N bytes from a multiple of N.
    pub(super) fn get<const N: usize>(&mut self, address: u64) -> Result<[u8; N], Fault> {
        let bytes = N as u64;
        if !address.is_multiple_of(bytes) {
            return Err(Fault::Misaligned { address, bytes });
        }
        let mut value = [0; N];
        self.read(address, &mut value)?;
        Ok(value)
    }

    /// N bytes to a multiple of N.
    pub(super) fn set<const N: usize>(
        &mut self,
        address: u64,
        value: [u8; N],
    ) -> Result<(), Fault> {
        let bytes = N as u64;
        if !address.is_multiple_of(bytes) {
            return Err(Fault::Misaligned { address, bytes });
        }
        self.write(address, &value)
    }
}
