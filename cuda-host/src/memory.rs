//! Values to and from a device, and the list of buffers that somebody must give back.

use presam_kernels::Plain;
use presam_kernels::plain::{bytes_of, values_read};

use crate::device::{Address, Device};
use crate::error::DeviceError;

/// A buffer with these values.
///
/// # Errors
/// As [`Device::allocate`] and [`Device::write`].
pub fn upload<T: Plain>(device: &mut dyn Device, values: &[T]) -> Result<Address, DeviceError> {
    let bytes = bytes_of(values);
    let address = device.allocate(bytes.len())?;
    if !bytes.is_empty()
        && let Err(error) = device.write(address, bytes)
    {
        // The write's error is the one to tell.
        let _ = device.free(address);
        return Err(error);
    }
    Ok(address)
}

/// The `count` values at an address, once what was queued before is done.
///
/// # Errors
/// As [`Device::read`].
pub fn download<T: Plain>(
    device: &mut dyn Device,
    address: Address,
    count: usize,
) -> Result<Vec<T>, DeviceError> {
    values_read(count, |bytes| if bytes.is_empty() { Ok(()) } else { device.read(address, bytes) })
}

/// Buffers that are given back together.
#[derive(Clone, Debug, Default)]
pub struct Buffers {
    owned: Vec<Address>,
}

impl Buffers {
    /// What `build` makes, with the buffers that it allocated; after an error they are given back.
    ///
    /// # Errors
    /// Those of `build`.
    pub fn built<T>(
        device: &mut dyn Device,
        build: impl FnOnce(&mut dyn Device, &mut Self) -> Result<T, DeviceError>,
    ) -> Result<(T, Self), DeviceError> {
        let mut buffers = Self::default();
        match build(device, &mut buffers) {
            Ok(built) => Ok((built, buffers)),
            Err(error) => {
                // The first error is the one to tell.
                let _ = buffers.free(device);
                Err(error)
            }
        }
    }

    /// A buffer of so many bytes, never written.
    ///
    /// # Errors
    /// As [`Device::allocate`].
    pub fn allocate(
        &mut self,
        device: &mut dyn Device,
        bytes: usize,
    ) -> Result<Address, DeviceError> {
        device.allocate(bytes).inspect(|&address| self.owned.push(address))
    }

    /// A buffer with these values.
    ///
    /// # Errors
    /// As [`upload`].
    pub fn upload<T: Plain>(
        &mut self,
        device: &mut dyn Device,
        values: &[T],
    ) -> Result<Address, DeviceError> {
        upload(device, values).inspect(|&address| self.owned.push(address))
    }

    /// A buffer of so many floats, all +0.0.
    ///
    /// # Errors
    /// As [`Device::allocate`] and [`Device::fill`].
    pub fn zeros(&mut self, device: &mut dyn Device, len: usize) -> Result<Address, DeviceError> {
        let address = self.allocate(device, 4 * len)?;
        if len > 0 {
            device.fill(address, 0, len)?;
        }
        Ok(address)
    }

    /// Gives all of them back, whatever becomes of one.
    ///
    /// # Errors
    /// The first of [`Device::free`].
    pub fn free(self, device: &mut dyn Device) -> Result<(), DeviceError> {
        let mut first = Ok(());
        for address in self.owned {
            first = first.and(device.free(address));
        }
        first
    }
}
