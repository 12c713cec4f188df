//! [`Pooled`]: a device that keeps what is freed for whoever asks next: thousands of cases need the same few sizes.

use std::collections::BTreeMap;

use presam_cuda::{Address, Device, DeviceError, Layer};

/// A device whose memory is given back with itself, not before. One queue: whoever gets a buffer comes after its last
/// use. Only of just the bytes asked for, since a checker of memory watches their end.
pub(super) struct Pooled {
    device: Box<dyn Device>,
    /// Bytes of every buffer that was handed out.
    used: BTreeMap<Address, usize>,
    /// Buffers to be had, by their bytes.
    free: BTreeMap<usize, Vec<Address>>,
}

impl Pooled {
    pub fn over(device: Box<dyn Device>) -> Self {
        Self { device, used: BTreeMap::new(), free: BTreeMap::new() }
    }
}

impl Layer for Pooled {
    fn below(&self) -> &dyn Device {
        &*self.device
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut *self.device
    }

    fn on_allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        let found = self.free.get_mut(&bytes).and_then(Vec::pop);
        let address = found.map_or_else(|| self.device.allocate(bytes), Ok)?;
        self.used.insert(address, bytes);
        Ok(address)
    }

    fn on_free(&mut self, address: Address) -> Result<(), DeviceError> {
        let Some(bytes) = self.used.remove(&address) else {
            return Err(DeviceError::Address { what: "free", address, bytes: 0 });
        };
        self.free.entry(bytes).or_default().push(address);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use presam_cuda::Emulated;

    use super::*;

    #[test]
    fn what_is_freed_is_handed_out_again_and_once() {
        let mut device = Pooled::over(Box::new(Emulated::new(1)));
        let first = device.allocate(1000).unwrap();
        device.free(first).unwrap();
        assert!(device.free(first).is_err());
        assert_ne!(device.allocate(900), Ok(first));
        assert_eq!(device.allocate(1000), Ok(first));
        assert_ne!(device.allocate(1000), Ok(first));
    }
}
