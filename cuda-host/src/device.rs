//! Where kernels run: a GPU, or the emulator that runs the same bodies on the CPU.
//!
//! [`Device`] is one in-order queue: what is asked of it happens in the order asked, and only
//! [`read`](Device::read) and [`synchronize`](Device::synchronize) wait for it.

use presam_kernels::Kernel;
use presam_kernels::plain::bytes_of;

use crate::error::DeviceError;
use crate::recording::Recording;

/// An address in a device's memory. 0 is null.
pub type Address = u64;

/// Bytes that [`Device::write`] takes without waiting for the device.
pub const SHORT_WRITE: usize = 4096;

/// One in-order queue on a device with its memory.
pub trait Device {
    /// Its name in messages and records: `emulated`, `cuda:0 NVIDIA H100`.
    fn name(&self) -> String;

    /// Whether it only stands in for a GPU: its times tell nothing, and the CPU's own loops are faster.
    fn stands_in(&self) -> bool {
        false
    }

    /// `bytes` of memory, aligned to 256 bytes; what is in it is undefined. 0 bytes give an address
    /// that no kernel may touch.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`] with the bytes asked for.
    fn allocate(&mut self, bytes: usize) -> Result<Address, DeviceError>;

    /// Gives memory of [`allocate`](Device::allocate) back, once what was asked before is done.
    ///
    /// # Errors
    /// [`DeviceError::Address`] for anything else.
    fn free(&mut self, address: Address) -> Result<(), DeviceError>;

    /// Copies host bytes to the device; `bytes` may be reused as soon as this returns.
    ///
    /// # Errors
    /// [`DeviceError::Address`] outside of allocated memory, [`DeviceError::Lost`].
    fn write(&mut self, to: Address, bytes: &[u8]) -> Result<(), DeviceError>;

    /// Waits for all that was asked before, then copies device bytes to the host.
    ///
    /// # Errors
    /// As [`write`](Device::write).
    fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError>;

    /// Writes `word` `count` times from `to` on (4-byte aligned), without reading host memory later.
    ///
    /// # Errors
    /// As [`write`](Device::write).
    fn fill(&mut self, to: Address, word: u32, count: usize) -> Result<(), DeviceError> {
        self.write(to, &word.to_le_bytes().repeat(count))
    }

    /// Writes words by value: in one piece, and within a capture too, where each replay writes them again.
    ///
    /// # Errors
    /// As [`write`](Device::write).
    fn set(&mut self, to: Address, words: &[u32]) -> Result<(), DeviceError> {
        self.write(to, bytes_of(words))
    }

    /// Copies between places in the device's memory that do not overlap.
    ///
    /// # Errors
    /// As [`write`](Device::write).
    fn copy(&mut self, to: Address, from: Address, bytes: usize) -> Result<(), DeviceError> {
        let mut copied = vec![0; bytes];
        self.read(from, &mut copied)?;
        self.write(to, &copied)
    }

    /// Queues `kernel` over `blocks` blocks; no block is no launch.
    ///
    /// # Errors
    /// [`DeviceError::Arguments`] for a wrong number of arguments, [`DeviceError::Rejected`] where the
    /// driver refuses the text, [`DeviceError::Fault`] (the emulator, at once), [`DeviceError::Lost`].
    fn launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError>;

    /// Waits for all that was asked before.
    ///
    /// # Errors
    /// [`DeviceError::Lost`], [`DeviceError::Fault`].
    fn synchronize(&mut self) -> Result<(), DeviceError>;

    /// Whether it can record what it is asked for.
    fn records(&self) -> bool {
        false
    }

    /// Whether what it is asked for is recorded now, by [`begin_recording`](Device::begin_recording) or by a trainer
    /// that lent the queue.
    ///
    /// # Errors
    /// [`DeviceError::Lost`].
    fn is_recording(&self) -> Result<bool, DeviceError> {
        Ok(false)
    }

    /// From here on launches, fills, words and copies are recorded instead of done, until
    /// [`end_recording`](Device::end_recording); whatever waits is refused.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] on a device that does not record, and within another recording.
    fn begin_recording(&mut self) -> Result<(), DeviceError> {
        Err(no_recording(self.name()))
    }

    /// What was recorded.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] where nothing is being recorded; [`DeviceError::Driver`] where the driver refuses.
    fn end_recording(&mut self) -> Result<Recording, DeviceError> {
        Err(no_recording(self.name()))
    }

    /// Queues a recording of this device as one.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for another device's, and within a recording; [`DeviceError::Lost`].
    fn replay(&mut self, _: &Recording) -> Result<(), DeviceError> {
        Err(no_recording(self.name()))
    }
}

/// Records what `work` asks of a device that [records](Device::records), instead of doing it. Its kernels must have
/// been launched before.
///
/// # Errors
/// Those of `work`; as [`Device::begin_recording`] and [`Device::end_recording`].
pub fn recorded<D: Device + ?Sized>(
    device: &mut D,
    work: impl FnOnce(&mut D) -> Result<(), DeviceError>,
) -> Result<Recording, DeviceError> {
    device.begin_recording()?;
    let mut open = Open { device, is_open: true };
    let done = work(open.device);
    open.is_open = false;
    done.and(open.device.end_recording())
}

/// A recording that ends when `work` panics too.
struct Open<'d, D: Device + ?Sized> {
    device: &'d mut D,
    is_open: bool,
}

impl<D: Device + ?Sized> Drop for Open<'_, D> {
    fn drop(&mut self) {
        if self.is_open {
            let _ = self.device.end_recording();
        }
    }
}

/// What a device without recordings answers.
fn no_recording(found: String) -> DeviceError {
    let (what, expected) = ("device".to_owned(), "one that records".to_owned());
    DeviceError::Contract { kernel: "recording", what, expected, found }
}

/// Refuses a launch with the wrong number of arguments.
pub(crate) fn check_arguments(
    kernel: &'static Kernel,
    arguments: &[u64],
) -> Result<(), DeviceError> {
    let (expected, found) = (kernel.parameters.len(), arguments.len());
    if expected == found {
        return Ok(());
    }
    Err(DeviceError::Arguments { kernel: kernel.name, expected, found })
}
