//! [`Memory`]: buffers at made-up addresses, every access checked.

use std::fmt;

/// Addresses of buffers are multiples of this, as a GPU's allocator has them.
const GRAIN: u64 = 256;

/// The first address: as on a GPU more than a word holds.
const FIRST: u64 = 0x7_0000_0000;

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
    address: u64,
    bytes: Vec<u8>,
    written: Vec<bool>,
}

impl Buffer {
    /// Where in it these bytes are, if it holds all of them.
    fn offset(&self, address: u64, bytes: u64) -> Option<usize> {
        let offset = address.checked_sub(self.address)?;
        let end = offset.checked_add(bytes)?;
        (end <= self.bytes.len() as u64).then_some(offset as usize)
    }
}

/// The memory of an emulated device.
#[derive(Default)]
pub struct Memory {
    /// In the order of their addresses, since those only grow.
    buffers: Vec<Buffer>,
    next: u64,
    /// The place of the last access's buffer: the next one is mostly in it too.
    last: usize,
}

impl Memory {
    /// No buffer yet.
    #[must_use]
    pub fn new() -> Self {
        Self { next: FIRST, ..Self::default() }
    }

    /// A buffer of so many bytes, never written.
    pub fn allocate(&mut self, bytes: usize) -> u64 {
        let address = self.next;
        // A grain is left free behind each buffer: an access past its end meets nothing.
        self.next += (bytes as u64).next_multiple_of(GRAIN) + GRAIN;
        self.buffers.push(Buffer {
            address,
            bytes: vec![0xa5; bytes],
            written: vec![false; bytes],
        });
        address
    }

    /// Gives a buffer back; whether there was one at this address.
    pub fn free(&mut self, address: u64) -> bool {
        let place = self.buffers.binary_search_by_key(&address, |buffer| buffer.address);
        place.map(|place| self.buffers.remove(place)).is_ok()
    }

    /// The buffer that holds these bytes, and where in it.
    fn find(&mut self, address: u64, bytes: u64) -> Result<(&mut Buffer, usize), Fault> {
        let offset = |buffer: &Buffer| buffer.offset(address, bytes);
        let mut found = self.buffers.get(self.last).and_then(offset);
        if found.is_none() {
            let after = self.buffers.partition_point(|buffer| buffer.address <= address);
            self.last = after.saturating_sub(1);
            found = self.buffers.get(self.last).and_then(offset);
        }
        let fault = Fault::OutOfBounds { address, bytes };
        self.buffers.get_mut(self.last).zip(found).ok_or(fault)
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
        let (buffer, at) = self.find_aligned(address, N as u64)?;
        let value = buffer.bytes.get(at..).and_then(<[u8]>::first_chunk);
        let written = buffer.written.get(at..).and_then(<[bool]>::first_chunk);
        let value = value.filter(|_| written == Some(&[true; N]));
        value.copied().ok_or(Fault::Uninitialised { address, bytes: N as u64 })
    }

    /// N bytes to a multiple of N.
    pub(super) fn set<const N: usize>(
        &mut self,
        address: u64,
        value: [u8; N],
    ) -> Result<(), Fault> {
        let (buffer, at) = self.find_aligned(address, N as u64)?;
        let bytes = buffer.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
        let written = buffer.written.get_mut(at..).and_then(<[bool]>::first_chunk_mut);
        if let (Some(bytes), Some(written)) = (bytes, written) {
            (*bytes, *written) = (value, [true; N]);
        }
        Ok(())
    }

    fn find_aligned(&mut self, address: u64, bytes: u64) -> Result<(&mut Buffer, usize), Fault> {
        if !address.is_multiple_of(bytes) {
            return Err(Fault::Misaligned { address, bytes });
        }
        self.find(address, bytes)
    }
}
