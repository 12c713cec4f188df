//! [`Emulated`]: the kernels' bodies on the CPU, over checked memory.

use presam_kernels::Kernel;
use presam_kernels::emulator::{Fault, Memory, run};

use crate::device::{Address, Device, check_arguments};
use crate::error::DeviceError;

/// A device that any machine has: slow, and strict about memory.
pub struct Emulated {
    memory: Memory,
    seed: u64,
}

impl Emulated {
    /// A device whose blocks run in an order drawn from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { memory: Memory::new(), seed }
    }
}

/// Where the host itself reached outside of memory.
fn refused(what: &'static str, address: Address, bytes: usize) -> impl Fn(Fault) -> DeviceError {
    move |_| DeviceError::Address { what, address, bytes }
}

impl Device for Emulated {
    fn name(&self) -> String {
        "emulated".into()
    }

    fn stands_in(&self) -> bool {
        true
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        Ok(self.memory.allocate(bytes))
    }

    fn free(&mut self, address: Address) -> Result<(), DeviceError> {
        let freed = self.memory.free(address);
        freed.then_some(()).ok_or(DeviceError::Address { what: "free", address, bytes: 0 })
    }

    fn write(&mut self, to: Address, bytes: &[u8]) -> Result<(), DeviceError> {
        self.memory.write(to, bytes).map_err(refused("write", to, bytes.len()))
    }

    fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        let len = bytes.len();
        self.memory.read(from, bytes).map_err(refused("read", from, len))
    }

    fn launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        check_arguments(kernel, arguments)?;
        // Another order each time.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        run(kernel, blocks, arguments, &mut self.memory, self.seed >> 33)
            .map_err(|fault| DeviceError::Fault { kernel: kernel.name, what: fault.to_string() })
    }

    fn synchronize(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}
