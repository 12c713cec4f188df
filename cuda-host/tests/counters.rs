//! Counters and the passes that they count.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use presam::{Group, Sgd, Vasso};
use presam_cuda::{
    Buffers, Device, DeviceError, DeviceSegment, DeviceStep, Emulated, Layer, Options,
};
use presam_kernels::Kernel;

/// A device that does not take one kernel.
struct Without {
    device: Emulated,
    kernel: &'static str,
}

impl Layer for Without {
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
            return Err(DeviceError::Fault { kernel: kernel.name, what: "not taken".into() });
        }
        self.device.launch(kernel, blocks, arguments)
    }
}

#[test]
fn a_pass_that_was_not_launched_is_not_counted() {
    let (mut device, mut buffers) = (Emulated::new(1), Buffers::default());
    let mut plane = || buffers.zeros(&mut device, 100).unwrap();
    let segment = DeviceSegment {
        len: 100,
        params: plane(),
        grads: plane(),
        perturbed_grads: plane(),
        out: plane(),
        memory: [plane(), 0],
        state: [plane(), 0],
        ..DeviceSegment::default()
    };
    let mut device = Without { device, kernel: "" };
    let (base, groups) =
        (Sgd::new(0.1).unwrap().with_momentum(0.9).unwrap(), [Group::new(0.05).unwrap()]);
    let (variant, options) = (Vasso::default().into(), Options::default());
    let step =
        DeviceStep::new(&mut device, variant, base.into(), &[segment], &groups, options).unwrap();
    let steps = |device: &mut Without| {
        let (rule, base) = step.states(device).unwrap();
        (rule.steps, base.steps)
    };
    device.kernel = "ascend_vasso_f32";
    assert!(step.ascend(&mut device).is_err());
    assert_eq!(steps(&mut device), (0, 0));
    device.kernel = "descend_sgd_momentum";
    step.ascend(&mut device).unwrap();
    assert!(step.descend(&mut device).is_err());
    assert_eq!(steps(&mut device), (1, 0));
    device.kernel = "";
    step.descend(&mut device).unwrap();
    assert_eq!(steps(&mut device), (1, 1));
}
