//! `verify` finds what is wrong with a device: each kernel left out in turn, one bit flipped on the way back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use presam_cuda::{Address, Device, DeviceError, Emulated, Layer};
use presam_kernels::layout::Control;
use presam_kernels::{Kernel, entries};
use presam_program::check::{Report, Request, run, table};
use presam_program::show::view::View;

/// A device with a fault.
struct Faulty {
    device: Emulated,
    /// A kernel that does nothing.
    ignored: &'static str,
    /// Reads until one comes back with its lowest bit flipped; none if 0.
    flip_in: u32,
}

impl Layer for Faulty {
    fn below(&self) -> &dyn Device {
        &self.device
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut self.device
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
        // The control block has words that no comparison looks at.
        let plane = bytes.len() != size_of::<Control>();
        if let (1, true, Some(first)) = (self.flip_in, plane, bytes.first_mut()) {
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
        if kernel.name == self.ignored {
            return Ok(());
        }
        self.device.launch(kernel, blocks, arguments)
    }
}

const REQUEST: Request = Request { cases: 4, seed: 1, epochs: 1 };

fn verified(ignored: &'static str, flip_in: u32) -> Report {
    let device = Faulty { device: Emulated::new(1), ignored, flip_in };
    run(Box::new(device), REQUEST).unwrap()
}

#[test]
fn a_device_without_fault_agrees_in_every_kernel() {
    let report = verified("", 0);
    assert!(report.agrees() && report.uncovered().is_none(), "{}", table(&report, View::PLAIN));
    assert!(table(&report, View::PLAIN).contains("agree with the core in every bit"));
}

#[test]
fn a_kernel_that_does_nothing_is_found_whichever_it_is() {
    // The 16-bit kernels are the same bodies: one of them stands for all.
    let f32_or_common = |name: &str| !name.ends_with("f16") || name.contains("friendly");
    for kernel in entries::all().filter(|kernel| f32_or_common(kernel.name)) {
        let report = verified(kernel.name, 0);
        assert!(!report.agrees(), "{} was not missed", kernel.name);
    }
}

#[test]
fn one_flipped_bit_is_found_and_told_in_decimal_and_bits() {
    for flip_in in [1, 5, 40, 200] {
        let report = verified("", flip_in + 1);
        let difference = report.difference.as_ref().expect("a difference");
        assert!(!report.agrees());
        assert!(table(&report, View::PLAIN).contains(&format!("differs: {difference}")));
    }
}
