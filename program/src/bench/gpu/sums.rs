//! [`Sums`]: planes judged where they lie, by kernels whose bits `verify` compares; one number comes back, where all of a billion floats would take longer than what is measured.

use presam::Part;
use presam_cuda::{Address, Buffers, Device, DeviceError, Planes, Tables, download};
use presam_kernels::fold::LEAVES;
use presam_kernels::layout::{PART_BYTES, Segment};
use presam_kernels::{Kernel, entries};

/// Sums over the planes of segments.
pub(super) struct Sums {
    planes: Planes,
    parts: Address,
    results: Address,
    counter: Address,
    out: Address,
    one: Address,
    buffers: Buffers,
}

impl Sums {
    /// Over the planes that `rows` name.
    pub fn new(device: &mut dyn Device, rows: &[Segment]) -> Result<Self, DeviceError> {
        let (sums, buffers) = Buffers::built(device, |device, buffers| {
            let planes = Tables::new(device, buffers, rows)?.pass(device, buffers, |_| true)?;
            Ok(Self {
                planes,
                parts: buffers.allocate(device, planes.parts() as usize * PART_BYTES as usize)?,
                results: buffers.allocate(device, LEAVES as usize * PART_BYTES as usize)?,
                counter: buffers.zeros(device, 1)?,
                out: buffers.zeros(device, 3)?,
                one: buffers.upload(device, &[1.0_f32])?,
                buffers: Buffers::default(),
            })
        })?;
        Ok(Self { buffers, ..sums })
    }

    /// Whether every float is finite in the planes whose addresses stand at this offset of the rows.
    pub fn is_finite(&self, device: &mut dyn Device, plane: usize) -> Result<bool, DeviceError> {
        let sum = self.sum(device, &entries::accumulate_gradient, [self.one, plane as u64])?;
        Ok(sum.is_finite())
    }

    /// Whether two such planes are equal, float by float.
    pub fn are_equal(
        &self,
        device: &mut dyn Device,
        [first, second]: [usize; 2],
    ) -> Result<bool, DeviceError> {
        let planes = [first as u64, second as u64];
        Ok(self.sum(device, &entries::accumulate_distance, planes)? == 0.0)
    }

    fn sum(
        &self,
        device: &mut dyn Device,
        kernel: &'static Kernel,
        [first, second]: [u64; 2],
    ) -> Result<f32, DeviceError> {
        self.planes.launch(device, kernel, &[self.parts, first, second])?;
        let count = self.planes.parts();
        let tree = [self.parts, count.into(), self.results, self.counter, self.out];
        device.launch(&entries::total, count.div_ceil(LEAVES).max(1), &tree)?;
        let part = download::<Part<f32>>(device, self.out, 1)?;
        Ok(part.first().map_or(f32::NAN, |part| part.sum))
    }

    /// Gives its memory back.
    pub fn free(self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.buffers.free(device)
    }
}
