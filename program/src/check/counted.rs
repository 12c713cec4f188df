//! [`Counted`]: a device that notes which kernels a case launches.

use std::collections::{BTreeMap, BTreeSet};

use presam_kernels::Kernel;

use presam_cuda::{Device, DeviceError, Layer};

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

impl Layer for Counted {
    fn below(&self) -> &dyn Device {
        &*self.device
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut *self.device
    }

    fn on_launch(
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
}
