//! [`Tables`]: the rows of segments and chunks that kernels read, in device memory.

use presam::CHUNK;
use presam_kernels::layout::{Chunk, Segment};
use presam_kernels::{Kernel, WARPS};

use crate::device::{Address, Device};
use crate::error::DeviceError;
use crate::memory::Buffers;

/// Rows of segments in device memory, and which of their chunks a pass works on.
#[derive(Clone, Copy, Debug)]
pub struct Planes {
    chunks: Address,
    count: u32,
    segments: Address,
}

impl Planes {
    /// Chunks of the pass.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Parts that a summing pass leaves: one for each block's chunks.
    #[must_use]
    pub const fn parts(&self) -> u32 {
        self.count.div_ceil(WARPS)
    }

    /// The rows of segments.
    pub(crate) const fn segments(&self) -> Address {
        self.segments
    }

    /// Launches a pass: its table comes before the other arguments.
    ///
    /// # Errors
    /// As [`Device::launch`].
    pub fn launch(
        &self,
        device: &mut dyn Device,
        kernel: &'static Kernel,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        let table = [self.chunks, u64::from(self.count), self.segments];
        device.launch(kernel, self.parts(), &[&table, arguments].concat())
    }
}

/// Rows of segments in device memory: what passes are made from.
#[derive(Clone, Debug)]
pub struct Tables {
    segments: Address,
    rows: Vec<Segment>,
}

impl Tables {
    /// Writes the rows to one of `buffers`.
    ///
    /// # Errors
    /// As [`Buffers::upload`].
    pub fn new(
        device: &mut dyn Device,
        buffers: &mut Buffers,
        rows: &[Segment],
    ) -> Result<Self, DeviceError> {
        Ok(Self { segments: buffers.upload(device, rows)?, rows: rows.to_vec() })
    }

    /// A pass over the chunks of the segments that `takes` says, in segment order.
    ///
    /// # Errors
    /// As [`Tables::new`].
    pub fn pass(
        &self,
        device: &mut dyn Device,
        buffers: &mut Buffers,
        takes: impl Fn(usize) -> bool,
    ) -> Result<Planes, DeviceError> {
        let mut chunks = Vec::new();
        for (segment, row) in self.rows.iter().enumerate().filter(|(segment, _)| takes(*segment)) {
            let numbers = 0..row.len.div_ceil(CHUNK as u64);
            chunks.extend(numbers.map(|index| Chunk::of(row, segment as u32, index as u32)));
        }
        let address = buffers.upload(device, &chunks)?;
        let count = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        Ok(Planes { chunks: address, count, segments: self.segments })
    }
}
