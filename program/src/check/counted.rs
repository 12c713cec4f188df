//! [`Counted`]: a device that notes which kernels a comparison launches, and keeps the book of what differs.

use std::collections::{BTreeMap, BTreeSet};

use presam_kernels::Kernel;

use super::difference::Difference;
use presam_cuda::{Device, DeviceError, Layer};

/// A device and what was found so far.
pub(super) struct Counted {
    device: Box<dyn Device>,
    launched: BTreeSet<&'static str>,
    /// Comparisons that agreed, for every kernel that ran in them.
    agreed: BTreeMap<&'static str, u64>,
    differences: Vec<Difference>,
    /// Kernels that ran in one of the differences.
    suspects: BTreeSet<&'static str>,
    /// Is told what comes next, and each difference at once.
    told: fn(&str),
    /// While a smaller case is searched, nothing is written down.
    pub searches: bool,
}

impl Counted {
    pub fn new(device: Box<dyn Device>, told: fn(&str)) -> Self {
        Self {
            device,
            launched: BTreeSet::new(),
            agreed: BTreeMap::new(),
            differences: Vec::new(),
            suspects: BTreeSet::new(),
            told,
            searches: false,
        }
    }

    /// Tells what comes next: where that never ends, or the device with it, this is what is left.
    pub fn begins(&self, what: &str) {
        (self.told)(&format!("differences so far: {}; next: {what}", self.differences.len()));
    }

    /// Ends a comparison. One that agreed counts for every kernel that it launched; a difference is kept
    /// where it is the first for one of them.
    pub fn judged(&mut self, difference: Option<Difference>) {
        let launched = std::mem::take(&mut self.launched);
        if self.searches {
            return;
        }
        let Some(difference) = difference else {
            launched.into_iter().for_each(|kernel| *self.agreed.entry(kernel).or_default() += 1);
            return;
        };
        if launched.iter().any(|kernel| !self.suspects.contains(kernel)) {
            (self.told)(&format!("differs: {difference}"));
            let kernels = launched.iter().copied().collect();
            self.differences.push(Difference { kernels, ..difference });
        }
        self.suspects.extend(launched);
    }

    /// What differed so far.
    pub fn differences(&mut self) -> &mut Vec<Difference> {
        &mut self.differences
    }

    /// How many comparisons of a kernel agreed.
    pub fn agreed(&self, kernel: &str) -> u64 {
        self.agreed.get(kernel).copied().unwrap_or(0)
    }

    /// The device, and what differed.
    pub fn into_parts(self) -> (Box<dyn Device>, Vec<Difference>) {
        (self.device, self.differences)
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
