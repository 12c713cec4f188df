//! [`Clocked`] on a GPU: events in the stream.

use std::time::{Duration, Instant};

use super::clocked::{Clocked, Work};
use crate::bench;
use presam_cuda::cuda::Cuda;
use presam_cuda::{Device, DeviceError};

/// Long enough for a GPU to leave its idle clocks.
const AWAKE: Duration = Duration::from_millis(300);
/// Bytes that keep it busy meanwhile.
const BUSY: usize = 64 << 20;

/// Device `number`, at work for a while, so that the first row's clocks are not those of idling.
///
/// # Errors
/// As [`Cuda::open`].
pub(super) fn open(number: u32) -> Result<Cuda, DeviceError> {
    let mut cuda = Cuda::open(number)?;
    cuda.load_all()?;
    let buffer = cuda.allocate(BUSY)?;
    let start = Instant::now();
    while start.elapsed() < AWAKE {
        cuda.fill(buffer, 0, BUSY / 4)?;
        cuda.synchronize()?;
    }
    cuda.free(buffer)?;
    Ok(cuda)
}

impl Clocked for Cuda {
    fn described(&self) -> Result<bench::Device, DeviceError> {
        let facts = self.facts()?;
        Ok(bench::Device {
            name: self.name(),
            driver: Some(format!("driver for CUDA {}", facts.driver)),
            last_cache_bytes: Some(facts.l2_bytes),
        })
    }

    /// What is free but a sixteenth: the kernels and the tables need room too.
    fn memory_bytes(&self) -> Result<u64, DeviceError> {
        let free = self.free_bytes()?;
        Ok(free - free / 16)
    }

    fn last_cache_bytes(&self) -> Result<u64, DeviceError> {
        Ok(self.facts()?.l2_bytes)
    }

    fn nanoseconds(&mut self, work: Work<'_, Self>) -> Result<f64, DeviceError> {
        Ok(f64::from(self.timed(|cuda| work(cuda))?) * 1e6)
    }
}
