//! [`Counted`]: a device that notes which kernels a case launches.

use std::collections::{BTreeMap, BTreeSet};

use presam_kernels::Kernel;

use crate::device::{Address, Device, DeviceError};

/// A device and the cases of each kernel so far.
pub(super) struct Counted {
    device: Box<dyn Device>,
    launched: BTreeSet<&'static str>,
    cases: BTreeMap<&'static str, u64>,
}

impl Counted {
    pub fn new(device: Box<dyn Device>) -> Self {
        Self { device, launched: BTreeSet::new(), cases: BTreeMap::new() }
    }

    /// Ends a case whose results agreed: it counts for every kernel that it launched.
    pub fn agreed(&mut self) {
        for kernel in std::mem::take(&mut self.launched) {
            *self.cases.entry(kernel).or_default() += 1;
        }
    }

    /// The cases of each kernel, and the device.
    pub fn into_parts(self) -> (BTreeMap<&'static str, u64>, Box<dyn Device>) {
        (self.cases, self.device)
    }
}

impl Device for Counted {
    fn name(&self) -> String {
        self.device.name()
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        self.device.allocate(bytes)
    }

    fn free(&mut self, address: Address) -> Result<(), DeviceError> {
        self.device.free(address)
    }

    fn write(&mut self, to: Address, bytes: &[u8]) -> Result<(), DeviceError> {
        self.device.write(to, bytes)
    }

    fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.device.read(from, bytes)
    }

    fn fill(&mut self, to: Address, word: u32, count: usize) -> Result<(), DeviceError> {
        self.device.fill(to, word, count)
    }

    fn copy(&mut self, to: Address, from: Address, bytes: usize) -> Result<(), DeviceError> {
        self.device.copy(to, from, bytes)
    }

    fn launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        if blocks > 0 {
            self.launched.insert(kernel.name);
        }
        self.device.launch(kernel, blocks, arguments)
    }

    fn synchronize(&mut self) -> Result<(), DeviceError> {
        self.device.synchronize()
    }
}
