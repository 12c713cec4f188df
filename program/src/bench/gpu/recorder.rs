//! [`Recorder`]: [`Clocked`] on a device without a clock, by the host's.
//!
//! It is there to try the whole benchmark without a GPU: its times say nothing of one.

use std::time::Instant;

use presam_kernels::Kernel;

use super::clocked::{Clocked, Work};
use crate::bench;
use crate::machine;
use presam_cuda::{Address, Device, DeviceError};

/// Small, so that both warm and cold rows are quick.
const LAST_CACHE: u64 = 1 << 20;

/// Something asked, with all its arguments: what a graph freezes.
enum Call {
    Launch { kernel: &'static Kernel, blocks: u32, arguments: Vec<u64> },
    Fill { to: Address, word: u32, count: usize },
    Copy { to: Address, from: Address, bytes: usize },
}

/// A sequence in the order asked.
pub(super) struct Tape(Vec<Call>);

/// A device, and the tape while it records.
pub(super) struct Recorder<D> {
    device: D,
    tape: Option<Tape>,
}

impl<D: Device> Recorder<D> {
    pub fn new(device: D) -> Self {
        Self { device, tape: None }
    }

    /// Whatever waits or moves host memory spoils a recording, as it would on a GPU.
    fn now(&mut self, what: &str) -> Result<&mut D, DeviceError> {
        match self.tape {
            None => Ok(&mut self.device),
            Some(_) => Err(DeviceError::Contract {
                kernel: "recording",
                what: what.to_owned(),
                expected: "it before or after the recording".to_owned(),
                found: "it within".to_owned(),
            }),
        }
    }
}

impl<D: Device> Device for Recorder<D> {
    fn name(&self) -> String {
        self.device.name()
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        self.now("allocating")?.allocate(bytes)
    }

    fn free(&mut self, address: Address) -> Result<(), DeviceError> {
        self.now("freeing")?.free(address)
    }

    fn write(&mut self, to: Address, bytes: &[u8]) -> Result<(), DeviceError> {
        self.now("writing from the host")?.write(to, bytes)
    }

    fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.now("reading")?.read(from, bytes)
    }

    fn fill(&mut self, to: Address, word: u32, count: usize) -> Result<(), DeviceError> {
        match &mut self.tape {
            None => return self.device.fill(to, word, count),
            Some(Tape(calls)) => calls.push(Call::Fill { to, word, count }),
        }
        Ok(())
    }

    fn copy(&mut self, to: Address, from: Address, bytes: usize) -> Result<(), DeviceError> {
        match &mut self.tape {
            None => return self.device.copy(to, from, bytes),
            Some(Tape(calls)) => calls.push(Call::Copy { to, from, bytes }),
        }
        Ok(())
    }

    fn launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        match &mut self.tape {
            None => return self.device.launch(kernel, blocks, arguments),
            Some(Tape(calls)) => {
                calls.push(Call::Launch { kernel, blocks, arguments: arguments.to_vec() });
            }
        }
        Ok(())
    }

    fn synchronize(&mut self) -> Result<(), DeviceError> {
        self.now("synchronizing")?.synchronize()
    }
}

impl<D: Device> Clocked for Recorder<D> {
    type Graph = Tape;

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

    fn record(&mut self, work: Work<'_, Self>) -> Result<Tape, DeviceError> {
        self.now("another recording")?;
        self.tape = Some(Tape(Vec::new()));
        let done = work(self);
        let tape = self.tape.take().unwrap_or(Tape(Vec::new()));
        done.map(|()| tape)
    }

    fn replay(&mut self, Tape(calls): &Tape) -> Result<(), DeviceError> {
        let device = self.now("replaying")?;
        calls.iter().try_for_each(|call| match call {
            Call::Launch { kernel, blocks, arguments } => device.launch(kernel, *blocks, arguments),
            Call::Fill { to, word, count } => device.fill(*to, *word, *count),
            Call::Copy { to, from, bytes } => device.copy(*to, *from, *bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use presam_cuda::{Emulated, download};

    #[test]
    fn a_recording_does_nothing_until_it_is_replayed_and_then_the_same_each_time() {
        let mut device = Recorder::new(Emulated::new(1));
        let (a, b) = (device.allocate(16).unwrap(), device.allocate(16).unwrap());
        device.fill(a, 0, 4).unwrap();
        device.fill(b, 0, 4).unwrap();
        let work = &mut |device: &mut Recorder<Emulated>| {
            device.fill(a, 7, 4)?;
            device.copy(b, a, 8)
        };
        let tape = device.record(work).unwrap();
        assert_eq!(download::<u32>(&mut device, a, 4).unwrap(), [0; 4]);
        device.replay(&tape).unwrap();
        assert_eq!(download::<u32>(&mut device, b, 4).unwrap(), [7, 7, 0, 0]);
        device.fill(b, 1, 4).unwrap();
        device.replay(&tape).unwrap();
        assert_eq!(download::<u32>(&mut device, b, 4).unwrap(), [7, 7, 1, 1]);
    }

    #[test]
    fn what_a_gpu_cannot_capture_is_refused_and_the_recording_ends() {
        let mut device = Recorder::new(Emulated::new(1));
        let work = &mut |device: &mut Recorder<Emulated>| device.allocate(4).map(drop);
        let message = device.record(work).err().unwrap().to_string();
        assert!(message.starts_with("recording: allocating: expected it before"), "{message}");
        device.allocate(4).unwrap();
    }
}
