//! [`Layer`]: a device on top of another, which watches or changes what passes.

use presam_kernels::Kernel;

use crate::device::{Address, Device};
use crate::error::DeviceError;
use crate::recording::Recording;

/// A [`Device`] that hands everything down, but for what it does otherwise: one method for that, and two
/// that say where down is.
pub trait Layer {
    /// The device below.
    fn below(&self) -> &dyn Device;
    /// The device below.
    fn below_mut(&mut self) -> &mut dyn Device;

    /// [`Device::stands_in`].
    fn on_stands_in(&self) -> bool {
        self.below().stands_in()
    }

    /// [`Device::records`].
    fn on_records(&self) -> bool {
        self.below().records()
    }

    /// [`Device::allocate`].
    ///
    /// # Errors
    /// The device's below.
    fn on_allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        self.below_mut().allocate(bytes)
    }

    /// [`Device::free`].
    ///
    /// # Errors
    /// The device's below.
    fn on_free(&mut self, address: Address) -> Result<(), DeviceError> {
        self.below_mut().free(address)
    }

    /// [`Device::read`].
    ///
    /// # Errors
    /// The device's below.
    fn on_read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.below_mut().read(from, bytes)
    }

    /// [`Device::launch`].
    ///
    /// # Errors
    /// The device's below.
    fn on_launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        self.below_mut().launch(kernel, blocks, arguments)
    }
}

impl<L: Layer> Device for L {
    fn name(&self) -> String {
        self.below().name()
    }

    fn stands_in(&self) -> bool {
        self.on_stands_in()
    }

    fn allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        self.on_allocate(bytes)
    }

    fn free(&mut self, address: Address) -> Result<(), DeviceError> {
        self.on_free(address)
    }

    fn write(&mut self, to: Address, bytes: &[u8]) -> Result<(), DeviceError> {
        self.below_mut().write(to, bytes)
    }

    fn read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.on_read(from, bytes)
    }

    fn fill(&mut self, to: Address, word: u32, count: usize) -> Result<(), DeviceError> {
        self.below_mut().fill(to, word, count)
    }

    fn set(&mut self, to: Address, words: &[u32]) -> Result<(), DeviceError> {
        self.below_mut().set(to, words)
    }

    fn copy(&mut self, to: Address, from: Address, bytes: usize) -> Result<(), DeviceError> {
        self.below_mut().copy(to, from, bytes)
    }

    fn launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        self.on_launch(kernel, blocks, arguments)
    }

    fn synchronize(&mut self) -> Result<(), DeviceError> {
        self.below_mut().synchronize()
    }

    fn records(&self) -> bool {
        self.on_records()
    }

    fn is_recording(&self) -> Result<bool, DeviceError> {
        self.below().is_recording()
    }

    fn begin_recording(&mut self) -> Result<(), DeviceError> {
        self.below_mut().begin_recording()
    }

    fn end_recording(&mut self) -> Result<Recording, DeviceError> {
        self.below_mut().end_recording()
    }

    fn replay(&mut self, recording: &Recording) -> Result<(), DeviceError> {
        self.below_mut().replay(recording)
    }
}

impl Layer for Box<dyn Device> {
    fn below(&self) -> &dyn Device {
        &**self
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut **self
    }
}
