//! [`HostClock`]: [`Clocked`] on a device without a clock, by the host's.
//!
//! It is there to try the benchmark without a GPU: its times say nothing of one.

use std::time::Instant;

use super::clocked::{Clocked, Work};
use crate::bench;
use crate::machine;
use presam_cuda::{Device, DeviceError, Layer};

/// Small, so that both warm and cold rows are quick.
const LAST_CACHE: u64 = 1 << 20;

/// A device, timed by the host.
pub(super) struct HostClock(pub Box<dyn Device>);

impl Layer for HostClock {
    fn below(&self) -> &dyn Device {
        &*self.0
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut *self.0
    }
}

impl Clocked for HostClock {
    fn described(&self) -> Result<bench::Device, DeviceError> {
        let last_cache_bytes = Some(LAST_CACHE);
        Ok(bench::Device { name: self.name(), last_cache_bytes, ..bench::Device::default() })
    }

    /// A quarter of the host's: an emulator keeps more than the values.
    fn memory_bytes(&self) -> Result<u64, DeviceError> {
        Ok(machine::available_memory() / 4)
    }

    fn last_cache_bytes(&self) -> Result<u64, DeviceError> {
        Ok(LAST_CACHE)
    }

    fn nanoseconds(&mut self, work: Work<'_, Self>) -> Result<f64, DeviceError> {
        self.synchronize()?;
        let start = Instant::now();
        work(self)?;
        self.synchronize()?;
        Ok(start.elapsed().as_nanos() as f64)
    }
}
