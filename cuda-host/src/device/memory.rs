//! Values to and from a device, and the list of buffers that somebody must give back.

use presam_kernels::Plain;
use presam_kernels::plain::{bytes_of, values_of};

use super::{Address, Device, DeviceError};

/// A buffer with these values.
///
/// # Errors
/// As [`Device::allocate`] and [`Device::write`].
pub fn upload<T: Plain>(device: &mut impl Device, values: &[T]) -> Result<Address, DeviceError> {
    let bytes = bytes_of(values);
    let address = device.allocate(bytes.len())?;
    if !bytes.is_empty() {
        device.write(address, &bytes)?;
    }
    Ok(address)
}

/// The `count` values at an address, once what was queued before is done.
///
/// # Errors
/// As [`Device::read`].
pub fn download<T: Plain>(
    device: &mut impl Device,
    address: Address,
    count: usize,
) -> Result<Vec<T>, DeviceError> {
    let mut bytes = vec![0; count * size_of::<T>()];
    if !bytes.is_empty() {
        device.read(address, &mut bytes)?;
    }
    Ok(values_of(&bytes))
}

/// Buffers that are given back together.
#[derive(Clone, Debug, Default)]
pub struct Buffers {
    owned: Vec<Address>,
}

impl Buffers {
    /// A buffer with these values.
    ///
    /// # Errors
    /// As [`upload`].
    pub fn upload<T: Plain>(
        &mut self,
        device: &mut impl Device,
        values: &[T],
    ) -> Result<Address, DeviceError> {
        upload(device, values).inspect(|&address| self.owned.push(address))
    }

    /// A buffer of so many floats, all +0.0.
    ///
    /// # Errors
    /// As [`Device::allocate`] and [`Device::fill`].
    pub fn zeros(&mut self, device: &mut impl Device, len: usize) -> Result<Address, DeviceError> {
        let address = device.allocate(4 * len)?;
        self.owned.push(address);
        if len > 0 {
            device.fill(address, 0, len)?;
        }
        Ok(address)
    }

    /// Gives all of them back.
    ///
    /// # Errors
    /// As [`Device::free`].
    pub fn free(self, device: &mut impl Device) -> Result<(), DeviceError> {
        self.owned.into_iter().try_for_each(|address| device.free(address))
    }
}
