//! Devices that do not do their work: each must be caught before a row is timed.

use presam_kernels::Kernel;

use super::{DeviceTarget, Recorder};
use crate::bench::{Asked, Request, Target, plan};
use presam_cuda::{Choice, Device, DeviceError, Emulated, Layer};

/// An emulator that leaves out the launches of one kernel.
struct Lazy {
    device: Emulated,
    kernel: &'static str,
}

impl Layer for Lazy {
    fn below(&self) -> &dyn Device {
        &self.device
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut self.device
    }

    fn on_launch(
        &mut self,
        kernel: &'static Kernel,
        blocks: u32,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        if kernel.name == self.kernel {
            return Ok(());
        }
        self.device.launch(kernel, blocks, arguments)
    }
}

/// What is said of the first row of `filter` where `kernel` does nothing.
fn said(kernel: &'static str, filter: &str) -> Option<String> {
    let device = Lazy { device: Emulated::new(1), kernel };
    let mut target = DeviceTarget::new(Recorder::new(device), 2).unwrap();
    let request = Request::new(&Asked {
        sizes: Some("5001".into()),
        filter: Some(filter.into()),
        device: Choice::Emulated,
        ..Asked::default()
    });
    let plan = plan(&target, &request.unwrap()).unwrap();
    target.prepare(&plan.rows[0]).err().map(|error| error.to_string())
}

#[test]
fn a_kernel_that_does_nothing_is_caught_by_the_plane_that_it_should_have_written() {
    let cases = [
        ("ascend_in_place_vasso_f32", "vasso on 5001: params in place[0]: expected "),
        ("restore", "vasso on 5001: perturbed[0]: expected "),
        ("ascend_vasso_f32", "vasso on 5001: perturbed[0]: expected "),
        ("descend_sgd_momentum", "vasso on 5001: params[0]: expected "),
    ];
    for (kernel, expected) in cases {
        let said = said(kernel, "^step/vasso/").unwrap_or_default();
        assert!(said.starts_with(expected), "{kernel}: {said}");
    }
    let said = said("descend_adamw", "^descend/adamw/").unwrap_or_default();
    assert!(said.starts_with("sam on 5001: params[0]: expected "), "{said}");
}

#[test]
fn a_norm_pass_that_does_nothing_is_caught() {
    for kernel in ["accumulate_vasso_f32", "finish_vasso"] {
        assert!(said(kernel, "^step/vasso/").is_some(), "{kernel}");
    }
    assert_eq!(said("none of them", "^step/vasso/"), None);
}
