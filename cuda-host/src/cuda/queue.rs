//! [`Device`] on a stream: memory and launches in the order asked.

use std::ffi::c_void;

use presam_kernels::Kernel;
use presam_kernels::plain::bytes_of;

use super::driver::{Failure, INVALID_VALUE, OUT_OF_MEMORY, call};
use super::graph::Graph;
use super::staging::{SLOT_BYTES, Staging};
use super::{Allocation, Cuda, listed};
use crate::device::{Address, Device, check_arguments};
use crate::error::DeviceError;
use crate::recording::Recording;

/// Launches that the error of a lost device names.
const TOLD: usize = 8;
/// The widest grid in x.
const MOST_BLOCKS: u32 = i32::MAX as u32;

impl Device for Cuda {
    fn name(&self) -> String {
        format!("cuda:{} {}", self.ordinal, self.name)
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        self.may_wait("allocating")?;
        self.bind()?;
        let mut address = 0;
        // SAFETY: a context is current. The driver refuses 0 bytes: one byte has an address too.
        let done = unsafe { call!(cuMemAlloc_v2(&raw mut address, bytes.max(1))) };
        done.map_err(|failure| match failure.code {
            OUT_OF_MEMORY => DeviceError::OutOfMemory { bytes },
            _ => self.told(failure),
        })?;
        self.made += 1;
        self.allocations.insert(address, Allocation { bytes, number: self.made });
        Ok(address)
    }

    fn free(&mut self, address: Address) -> Result<(), DeviceError> {
        self.may_wait("freeing")?;
        if !self.allocations.contains_key(&address) {
            return Err(DeviceError::Address { what: "free", address, bytes: 0 });
        }
        // The driver's free knows nothing of what is queued and may still use the memory.
        self.synchronize()?;
        self.allocations.remove(&address);
        // SAFETY: allocated here, just taken out of the table, and the stream is idle.
        unsafe { call!(cuMemFree_v2(address)) }.map_err(|failure| self.told(failure))
    }

    fn write(&mut self, to: Address, bytes: &[u8]) -> Result<(), DeviceError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.may_wait("writing from the host")?;
        self.within("write", to, bytes.len())?;
        self.bind()?;
        if bytes.len() <= SLOT_BYTES {
            let sent = self.staged(to, bytes);
            return sent.map_err(|failure| self.at(failure, "write", to, bytes.len()));
        }
        let start = bytes.as_ptr().cast();
        // SAFETY: `bytes` outlives the copy, since the stream is waited for below.
        unsafe { call!(cuMemcpyHtoDAsync_v2(to, start, bytes.len(), self.stream.raw)) }
            .map_err(|failure| self.at(failure, "write", to, bytes.len()))?;
        // Pageable memory may be staged before the call returns, page-locked memory never is, and a
        // slice does not tell which of the two it is.
        self.synchronize()
    }

    fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.may_wait("reading")?;
        if bytes.is_empty() {
            return self.synchronize();
        }
        self.within("read", from, bytes.len())?;
        self.bind()?;
        let (start, length) = (bytes.as_mut_ptr().cast(), bytes.len());
        // SAFETY: `bytes` is exclusively ours until the stream has been waited for below.
        unsafe { call!(cuMemcpyDtoHAsync_v2(start, from, length, self.stream.raw)) }
            .map_err(|failure| self.at(failure, "read", from, length))?;
        self.synchronize()
    }

    fn fill(&mut self, to: Address, word: u32, count: usize) -> Result<(), DeviceError> {
        if count == 0 {
            return Ok(());
        }
        let bytes = count.saturating_mul(4);
        if !to.is_multiple_of(4) {
            return Err(DeviceError::Address { what: "fill", address: to, bytes });
        }
        self.within("fill", to, bytes)?;
        self.meet(&[to]);
        self.bind()?;
        // SAFETY: a context is current and the range is in memory of ours, or the driver's to judge.
        unsafe { call!(cuMemsetD32Async(to, word, count, self.stream.raw)) }
            .map_err(|failure| self.at(failure, "fill", to, bytes))
    }

    fn set(&mut self, to: Address, words: &[u32]) -> Result<(), DeviceError> {
        if !self.is_captured()? {
            // Staged: one copy, and nothing waits.
            return self.write(to, bytes_of(words));
        }
        // A recorded copy would read the staging memory at each replay; a recorded fill holds its word.
        for (i, &word) in words.iter().enumerate() {
            self.fill(to + 4 * i as u64, word, 1)?;
        }
        Ok(())
    }

    fn copy(&mut self, to: Address, from: Address, bytes: usize) -> Result<(), DeviceError> {
        if bytes == 0 {
            return Ok(());
        }
        self.within("copy to", to, bytes)?;
        self.within("copy from", from, bytes)?;
        self.meet(&[to, from]);
        self.bind()?;
        // SAFETY: as in `fill`, for both ranges.
        unsafe { call!(cuMemcpyDtoDAsync_v2(to, from, bytes, self.stream.raw)) }
            .map_err(|failure| self.at(failure, "copy", to, bytes))
    }

    fn launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        check(kernel, blocks, arguments)?;
        if blocks == 0 {
            return Ok(());
        }
        let function = self.function(kernel)?;
        let places =
            arguments.iter().map(|argument| std::ptr::from_ref(argument).cast_mut().cast());
        let mut places: Vec<*mut c_void> = places.collect();
        let (threads, none) = (kernel.threads, std::ptr::null_mut());
        // SAFETY: the function belongs to a loaded module of the current context; it takes as many
        // 8-byte parameters as `check` counted, and the driver copies them before it returns.
        unsafe {
            call!(cuLaunchKernel(
                function,
                blocks,
                1,
                1,
                threads,
                1,
                1,
                0,
                self.stream.raw,
                places.as_mut_ptr(),
                none
            ))
        }
        .map_err(|failure| match failure {
            lost if lost.is_lost() => self.at_launch(lost, kernel.name),
            refused => DeviceError::Fault { kernel: kernel.name, what: refused.words() },
        })?;
        self.meet(arguments);
        // What a trainer's own capture records has not been launched.
        if self.capturing || !self.is_captured()? {
            self.note(kernel.name);
        }
        Ok(())
    }

    fn synchronize(&mut self) -> Result<(), DeviceError> {
        self.may_wait("synchronizing")?;
        self.bind()?;
        // SAFETY: the stream is alive: ours, or promised by the caller of `on_stream`.
        unsafe { call!(cuStreamSynchronize(self.stream.raw)) }
            .map_err(|failure| self.told(failure))?;
        self.launched.clear();
        Ok(())
    }

    fn records(&self) -> bool {
        self.stream.can_be_captured()
    }

    fn is_recording(&self) -> Result<bool, DeviceError> {
        self.is_captured()
    }

    fn begin_recording(&mut self) -> Result<(), DeviceError> {
        self.begin()
    }

    fn end_recording(&mut self) -> Result<Recording, DeviceError> {
        self.end().map(Recording::new)
    }

    fn replay(&mut self, recording: &Recording) -> Result<(), DeviceError> {
        match recording.get::<Graph>() {
            Some(graph) => graph.launch(self),
            None => Err(DeviceError::Contract {
                kernel: "recording",
                what: "device".to_owned(),
                expected: "the one it was recorded on".to_owned(),
                found: "another".to_owned(),
            }),
        }
    }
}

impl Cuda {
    /// The error of a call, whichever it was that met it. Of a lost device the driver does not say which kernel it
    /// was: one of those that nobody has waited for.
    pub(super) fn told(&self, error: impl Into<DeviceError>) -> DeviceError {
        // What a capture records has not been launched.
        let launched = if self.capturing { &self.before } else { &self.launched };
        match error.into() {
            DeviceError::Lost { what } if !launched.is_empty() => {
                let names = listed(launched);
                DeviceError::Lost { what: format!("{what}; launched before, last first: {names}") }
            }
            other => other,
        }
    }

    /// The same of a launch itself: under `CUDA_LAUNCH_BLOCKING=1`, where each waits for its end, it is the one.
    pub(super) fn at_launch(&self, lost: Failure, name: &str) -> DeviceError {
        let what = format!("{}; at the launch of {name}", lost.words());
        self.told(DeviceError::Lost { what })
    }

    /// The error of copying or filling `bytes` at `address`.
    fn at(
        &self,
        failure: Failure,
        what: &'static str,
        address: Address,
        bytes: usize,
    ) -> DeviceError {
        match failure.code {
            INVALID_VALUE => DeviceError::Address { what, address, bytes },
            _ => self.told(failure),
        }
    }

    /// Queues a small write.
    fn staged(&mut self, to: Address, bytes: &[u8]) -> Result<(), Failure> {
        let staging = match &mut self.staging {
            Some(staging) => staging,
            none => none.insert(Staging::new(&self.context)?),
        };
        staging.send(self.stream.raw, to, bytes)
    }

    /// Keeps the name of a launch.
    pub(super) fn note(&mut self, name: &'static str) {
        self.launched.truncate(TOLD - 1);
        self.launched.push_front(name);
    }

    /// The allocation that an address lies in, with its first address.
    fn holder(&self, address: Address) -> Option<(Address, Allocation)> {
        let (&start, &allocation) = self.allocations.range(..=address).next_back()?;
        let offset = usize::try_from(address - start).ok()?;
        (offset == 0 || offset < allocation.bytes).then_some((start, allocation))
    }

    /// Within a capture: keeps what allocations these words point into.
    fn meet(&mut self, words: &[u64]) {
        if self.capturing {
            let met = words.iter().filter_map(|&word| self.holder(word)).collect::<Vec<_>>();
            self.met.extend(met);
        }
    }

    /// Whether `bytes` from `address` on fit into the allocation they start in. Memory of a trainer's
    /// own is not in the table: the driver judges it.
    fn within(
        &self,
        what: &'static str,
        address: Address,
        bytes: usize,
    ) -> Result<(), DeviceError> {
        let room = self.holder(address).map(|(start, Allocation { bytes, .. })| {
            bytes.saturating_sub(usize::try_from(address - start).unwrap_or(usize::MAX))
        });
        match room {
            Some(room) if bytes > room => Err(DeviceError::Address { what, address, bytes }),
            None if address == 0 => Err(DeviceError::Address { what, address, bytes }),
            _ => Ok(()),
        }
    }
}

/// What can be told without the device.
fn check(kernel: &'static Kernel, blocks: u32, arguments: &[u64]) -> Result<(), DeviceError> {
    check_arguments(kernel, arguments)?;
    if blocks <= MOST_BLOCKS {
        return Ok(());
    }
    Err(DeviceError::Contract {
        kernel: kernel.name,
        what: "blocks".to_owned(),
        expected: format!("at most {MOST_BLOCKS}"),
        found: blocks.to_string(),
    })
}
