//! The memory beside the planes: the copy's two buffers, and other data that goes through the last cache.

use std::mem::offset_of;

use super::sums::Sums;
use crate::error::Error;
use presam_cuda::{Address, Buffers, Device, DeviceError, Planes, Tables};
use presam_kernels::entries::accumulate_gradient;
use presam_kernels::layout::{ALIGNED, PART_BYTES, Segment};

/// What is copied.
const ONE: f32 = 1.0;

/// Two buffers, as long as the longest copy so far.
#[derive(Default)]
pub(super) struct CopyBuffers {
    /// Source and destination, their floats, and what gives them back.
    buffers: Option<([Address; 2], usize, Buffers)>,
}

impl CopyBuffers {
    /// Makes room for a copy of so many floats, and its destination empty.
    pub fn size(&mut self, device: &mut dyn Device, floats: usize) -> Result<(), DeviceError> {
        if self.buffers.as_ref().is_none_or(|&(_, room, _)| room < floats) {
            // The old ones go first: both together might not fit.
            self.free(device)?;
            let (places, own) = Buffers::built(device, |device, own| {
                let from = own.allocate(device, 4 * floats)?;
                device.fill(from, ONE.to_bits(), floats)?;
                Ok([from, own.allocate(device, 4 * floats)?])
            })?;
            self.buffers = Some((places, floats, own));
        }
        match self.buffers {
            Some(([_, to], ..)) => device.fill(to, 0, floats),
            None => Ok(()),
        }
    }

    /// Queues a copy.
    pub fn copy(&self, device: &mut dyn Device, floats: usize) -> Result<(), DeviceError> {
        match self.buffers {
            Some(([from, to], ..)) => device.copy(to, from, 4 * floats),
            None => Ok(()),
        }
    }

    /// Finds every float copied.
    pub fn check(&self, device: &mut dyn Device, floats: usize) -> Result<(), Error> {
        let Some(([from, to], ..)) = self.buffers else { return Ok(()) };
        let row = Segment {
            params: from,
            out: to,
            len: floats as u64,
            flags: ALIGNED,
            ..Segment::default()
        };
        let sums = Sums::new(device, &[row])?;
        let planes = [offset_of!(Segment, params), offset_of!(Segment, out)];
        let equal = sums.are_equal(device, planes);
        sums.free(device)?;
        if equal? { Ok(()) } else { Err(Error::Wrong("the copy left something out".to_owned())) }
    }

    /// Gives both back.
    pub fn free(&mut self, device: &mut dyn Device) -> Result<(), DeviceError> {
        match self.buffers.take() {
            Some((.., own)) => own.free(device),
            None => Ok(()),
        }
    }
}

/// Twice the last cache, so that nothing of what was there before is left.
///
/// It is read and never written: lines that a fill left behind would be written back while a row is timed,
/// at the cost of rows that mostly read.
pub(super) struct OtherData {
    planes: Planes,
    parts: Address,
    one: Address,
}

impl OtherData {
    pub fn new(device: &mut dyn Device, last_cache: u64) -> Result<Self, DeviceError> {
        let floats = (last_cache / 2).max(1);
        // Kept for as long as the device.
        let mut buffers = Buffers::default();
        let data = buffers.allocate(device, 4 * floats as usize)?;
        device.fill(data, ONE.to_bits(), floats as usize)?;
        let row = Segment {
            grads: data,
            params: data,
            len: floats,
            flags: ALIGNED,
            ..Segment::default()
        };
        let planes =
            Tables::new(device, &mut buffers, &[row])?.pass(device, &mut buffers, |_| true)?;
        let parts = buffers.allocate(device, planes.parts() as usize * PART_BYTES as usize)?;
        Ok(Self { planes, parts, one: buffers.upload(device, &[ONE])? })
    }

    /// Fills the last cache with it.
    pub fn evict(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        let plane = offset_of!(Segment, grads) as u64;
        self.planes.launch(device, &accumulate_gradient, &[self.parts, self.one, plane])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use presam_cuda::Emulated;

    #[test]
    fn a_copy_that_did_not_happen_or_fell_short_is_found() {
        let (mut device, mut buffers) = (Emulated::new(1), CopyBuffers::default());
        buffers.size(&mut device, 100).unwrap();
        assert!(buffers.check(&mut device, 100).is_err());
        buffers.copy(&mut device, 99).unwrap();
        let message = buffers.check(&mut device, 100).unwrap_err().to_string();
        assert_eq!(message, "the copy left something out");
        buffers.copy(&mut device, 100).unwrap();
        buffers.check(&mut device, 100).unwrap();
        // A shorter one uses the same buffers, emptied; a longer one new ones.
        for floats in [50, 300] {
            buffers.size(&mut device, floats).unwrap();
            assert!(buffers.check(&mut device, floats).is_err());
            buffers.copy(&mut device, floats).unwrap();
            buffers.check(&mut device, floats).unwrap();
        }
        buffers.free(&mut device).unwrap();
    }
}
