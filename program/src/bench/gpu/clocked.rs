//! [`Clocked`]: a device that tells the time of what it is asked.

use crate::bench;
use presam_cuda::{Device, DeviceError};

/// Something asked of a device.
pub(super) type Work<'w, D> = &'w mut dyn FnMut(&mut D) -> Result<(), DeviceError>;

/// A device with a clock.
pub(super) trait Clocked: Device {
    /// What it is and how it is doing.
    fn described(&self) -> Result<bench::Device, DeviceError>;

    /// Bytes of memory that planes and copies may take up.
    fn memory_bytes(&self) -> Result<u64, DeviceError>;

    /// Bytes of its last cache.
    fn last_cache_bytes(&self) -> Result<u64, DeviceError>;

    /// Nanoseconds from the first thing that `work` asks to the end of the last, by the device's clock.
    fn nanoseconds(&mut self, work: Work<'_, Self>) -> Result<f64, DeviceError>;
}
