//! [`Ptx`]: the committed texts themselves, executed on the CPU by `ptx-machine`.

use std::collections::BTreeMap;

use presam_kernels::{Kernel, ptx};
use ptx_machine::{BufferId, Launch, Memory, Module, Report};

use crate::device::{Address, Device, check_arguments};
use crate::error::DeviceError;

/// Fewer are not worth a thread.
const BLOCKS_A_THREAD: usize = 4;

/// A device that runs the very text a GPU is handed, and finds what is wrong with it: access outside of a
/// buffer, misaligned access, reads of what was never written, races.
#[derive(Debug)]
pub struct Ptx {
    modules: BTreeMap<&'static str, Module>,
    memory: Memory,
    buffers: BTreeMap<Address, (BufferId, usize)>,
    seed: u64,
    threads: usize,
    reports: BTreeMap<&'static str, Report>,
}

impl Ptx {
    /// A device whose blocks, warps and lanes run in orders drawn from `seed`, another at each launch; 0 is
    /// the plain order every time, whose counts compare.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (modules, buffers) = (BTreeMap::new(), BTreeMap::new());
        let reports = BTreeMap::new();
        Self { modules, memory: Memory::new(), buffers, seed, threads: 1, reports }
    }

    /// The same with the blocks of a launch on so many threads: quicker, and the order of its blocks is then
    /// no longer that of the seed alone.
    #[must_use]
    pub fn on_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// What the last launch of a kernel did: instructions, sectors of memory, bank conflicts.
    #[must_use]
    pub fn report(&self, kernel: &str) -> Option<&Report> {
        self.reports.get(kernel)
    }

    /// The buffer that holds these bytes, and where in it.
    fn find(
        &self,
        what: &'static str,
        address: Address,
        bytes: usize,
    ) -> Result<(BufferId, usize), DeviceError> {
        let found = self.buffers.range(..=address).next_back().and_then(|(base, &(id, len))| {
            let offset = usize::try_from(address - base).ok()?;
            (offset.checked_add(bytes)? <= len).then_some((id, offset))
        });
        found.ok_or(DeviceError::Address { what, address, bytes })
    }

    /// Reads the kernel's text, once.
    fn load(&mut self, kernel: &'static Kernel) -> Result<(), DeviceError> {
        if !self.modules.contains_key(kernel.text) {
            let rejected = |log: String| DeviceError::Rejected {
                text: kernel.text.to_owned(),
                versions: "ptx-machine".to_owned(),
                log,
            };
            let text = ptx::text(kernel.text).ok_or_else(|| rejected("no such text".to_owned()))?;
            let module = Module::parse(text).map_err(|error| rejected(error.to_string()))?;
            self.modules.insert(kernel.text, module);
        }
        Ok(())
    }
}

impl Device for Ptx {
    fn name(&self) -> String {
        "ptx".into()
    }

    fn stands_in(&self) -> bool {
        true
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        // Named by its number: messages of faults speak of it.
        let id = self.memory.uninitialised(&format!("buffer {}", self.buffers.len()), bytes);
        let address = self.memory.address(id, 0);
        self.buffers.insert(address, (id, bytes));
        Ok(address)
    }

    fn free(&mut self, address: Address) -> Result<(), DeviceError> {
        let (id, _) = self.buffers.remove(&address).ok_or(DeviceError::Address {
            what: "free",
            address,
            bytes: 0,
        })?;
        self.memory.release(id);
        Ok(())
    }

    fn write(&mut self, to: Address, bytes: &[u8]) -> Result<(), DeviceError> {
        let (id, offset) = self.find("write", to, bytes.len())?;
        self.memory.write(id, offset as u64, bytes);
        Ok(())
    }

    fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        let (id, offset) = self.find("read", from, bytes.len())?;
        let all = self.memory.bytes(id);
        bytes.copy_from_slice(all.get(offset..offset + bytes.len()).unwrap_or_default());
        Ok(())
    }

    fn launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        check_arguments(kernel, arguments)?;
        if blocks == 0 {
            return Ok(());
        }
        if self.seed != 0 {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        }
        let seed = self.seed >> 33;
        self.load(kernel)?;
        // A thread costs more than a few blocks.
        let threads = self.threads.min(blocks as usize / BLOCKS_A_THREAD).max(1);
        let Self { modules, memory, reports, .. } = self;
        let Some(module) = modules.get(kernel.text) else { return Ok(()) };
        let launch = Launch::new(module, kernel.name).grid(blocks).block(kernel.threads);
        let launch = launch.seed(seed).threads(threads);
        let launch = arguments.iter().fold(launch, |launch, &word| launch.argument(word));
        let report = launch
            .run(memory)
            .map_err(|error| DeviceError::Fault { kernel: kernel.name, what: error.to_string() })?;
        reports.insert(kernel.name, report);
        Ok(())
    }

    fn synchronize(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}
