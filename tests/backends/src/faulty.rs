//! [`Faulty`]: an emulated device with a fault, for whoever must notice it.

use presam_cuda::{Address, Device, DeviceError, Emulated, Kernel, Layer};

/// The emulator, but that some kernels do nothing, or one bit is wrong on the way back.
pub struct Faulty {
    device: Emulated,
    ignored: Vec<&'static str>,
    flip_in: u32,
    ignored_len: usize,
    stands_in: bool,
}

impl Faulty {
    /// A device on which these kernels do nothing.
    #[must_use]
    pub fn without(kernels: &[&'static str]) -> Self {
        let device = Emulated::new(1);
        Self { device, ignored: kernels.to_vec(), flip_in: 0, ignored_len: 0, stands_in: true }
    }

    /// The same, and read number `read`, counted from 1 (0: none), comes back with its lowest bit flipped; reads of
    /// `but` bytes are left alone: there may be words among them that no comparison looks at.
    #[must_use]
    pub fn flipping(self, read: u32, but: usize) -> Self {
        Self { flip_in: read, ignored_len: but, ..self }
    }

    /// The same, which does not admit that it only stands in for a GPU.
    #[must_use]
    pub fn as_gpu(self) -> Self {
        Self { stands_in: false, ..self }
    }
}

impl Layer for Faulty {
    fn below(&self) -> &dyn Device {
        &self.device
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut self.device
    }

    fn on_stands_in(&self) -> bool {
        self.stands_in
    }

    fn on_allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        // Zeros, so that what is left out shows as a wrong number and not as memory never written.
        let address = self.device.allocate(bytes)?;
        self.device.write(address, &vec![0; bytes])?;
        Ok(address)
    }

    fn on_read(&mut self, from: Address, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.device.read(from, bytes)?;
        self.flip_in = self.flip_in.saturating_sub(u32::from(self.flip_in > 1));
        let looked_at = bytes.len() != self.ignored_len;
        if let (1, true, Some(first)) = (self.flip_in, looked_at, bytes.first_mut()) {
            *first ^= 1;
            self.flip_in = 0;
        }
        Ok(())
    }

    fn on_launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        if self.ignored.contains(&kernel.name) {
            return Ok(());
        }
        self.device.launch(kernel, blocks, arguments)
    }
}
