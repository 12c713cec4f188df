//! What a trainer can get wrong with its device buffers: each refused before a launch, in one line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod gradients;
mod order;
mod scalars;

use presam::{Group, LookSam, Sam, SecondGradient, Sgd};
use presam_cuda::{
    Address, Batch, Buffers, Device, DeviceError, DeviceNetwork, DeviceSegment, DeviceStep,
    Emulated, Flat, Form, Layer, Mixes, Options, download,
};
use presam_kernels::entries;
use presam_model::Mlp;

/// A device, and one good segment of `len` on it.
fn good(len: usize) -> (Emulated, DeviceSegment) {
    let (mut device, mut buffers) = (Emulated::new(3), Buffers::default());
    let mut plane = || buffers.zeros(&mut device, len).unwrap();
    let segment = DeviceSegment {
        len: len as u64,
        group: 0,
        params: plane(),
        grads: plane(),
        perturbed_grads: plane(),
        out: plane(),
        state: [plane(), 0],
        ..DeviceSegment::default()
    };
    (device, segment)
}

fn made(
    device: &mut Emulated,
    segments: &[DeviceSegment],
    options: Options,
) -> Result<DeviceStep, DeviceError> {
    let base = Sgd::new(0.1)?.with_momentum(0.9)?;
    DeviceStep::new(device, Sam::new().into(), base.into(), segments, &[Group::new(0.05)?], options)
}

fn refused(change: impl Fn(&mut DeviceSegment), options: Options) -> String {
    let (mut device, mut segment) = good(100);
    change(&mut segment);
    made(&mut device, &[segment], options).unwrap_err().to_string()
}

#[test]
fn every_slip_has_its_line() {
    let plain = Options::default();
    assert_eq!(
        refused(|s| s.params = 0, plain),
        "accumulate_sam_f32: segment 0: params: expected an address of device memory, found null"
    );
    assert_eq!(
        refused(|s| s.state = [0, s.state[0]], plain),
        "descend_sgd_momentum: segment 0: state[0]: expected an address of device memory, found null"
    );
    assert!(
        refused(|s| s.out += 2, plain).starts_with(
            "ascend_sam_f32: segment 0: out: expected a multiple of 4 bytes, found 0x"
        )
    );
    let overlap = refused(|s| s.out = s.params + 396, plain);
    assert_eq!(
        overlap,
        "ascend_sam_f32: segment 0: out: expected memory of its own, found 4 bytes shared with \
         segment 0: params"
    );
    assert_eq!(
        refused(|s| s.group = 1, plain),
        "accumulate_sam_f32: segment 0: group: expected one of 1 groups, found 1"
    );
    let many = refused(|s| s.len = 1 << 34, plain);
    assert!(
        many.contains("expected at most 8589934592 (4194304 chunks), found 8388608 chunks"),
        "{many}"
    );
    let scaled = refused(|_| (), Options { loss_scale: 0.0, ..plain });
    assert_eq!(scaled, "loss_scale: expected a finite number > 0, found 0");
}

#[test]
fn planes_are_counted() {
    let plain = Options::default();
    for (slip, expected) in [
        (
            refused(|s| s.state = [0; 2], plain),
            "descend_sgd_momentum: segment 0: state: expected 1 planes, found 0",
        ),
        (
            refused(|s| s.state[1] = s.params, plain),
            "descend_sgd_momentum: segment 0: state: expected 1 planes, found 2",
        ),
        (
            refused(|s| s.inputs = [s.params; 2], plain),
            "accumulate_sam_f32: segment 0: inputs: expected 0 planes, found 2",
        ),
    ] {
        assert_eq!(slip, expected);
    }
    let (mut device, segment) = good(100);
    let (group, base) = ([Group::new(0.05).unwrap()], Sgd::new(0.1).unwrap().into());
    for (variant, expected) in [
        (
            presam::InfoSam::default().into(),
            "accumulate_info_sam_f32: segment 0: memory: expected 2 planes, found 0",
        ),
        (Sam::new().into(), "descend_sgd: segment 0: state: expected 0 planes, found 1"),
    ] {
        let options = Options::default();
        let made = DeviceStep::new(&mut device, variant, base, &[segment], &group, options);
        assert_eq!(made.unwrap_err().to_string(), expected);
    }
}

#[test]
fn nothing_to_do_is_done() {
    let (mut device, segment) = good(0);
    let empty = DeviceSegment { len: 0, params: 0, ..segment };
    for segments in [&[][..], &[empty][..]] {
        let step =
            made(&mut device, segments, Options { form: Form::InPlace, ..Options::default() });
        let step = step.unwrap();
        step.ascend(&mut device).unwrap();
        step.restore(&mut device).unwrap();
        step.descend(&mut device).unwrap();
        assert!(step.report(&mut device).unwrap().descended);
        step.free(&mut device).unwrap();
    }
}

#[test]
fn a_step_takes_back_what_it_allocated_and_nothing_else() {
    let (mut device, segment) = good(5000);
    let step = made(&mut device, &[segment], Options::default()).unwrap();
    let control = step.control();
    step.free(&mut device).unwrap();
    assert!(device.free(control).is_err());
    assert_eq!(download::<f32>(&mut device, segment.params, 5000).unwrap(), vec![0.0; 5000]);
}

#[test]
fn the_emulator_tells_wrong_arguments_and_wrong_addresses() {
    let (mut device, segment) = good(100);
    let error = device.launch(&entries::restore, 1, &[1, 2]).unwrap_err().to_string();
    assert_eq!(error, "restore: expected 3 arguments, found 2");
    let error = device.launch(&entries::restore, 1, &[16, 1, 16]).unwrap_err().to_string();
    assert_eq!(error, "restore: access to 16 bytes at 0x10, outside of every buffer");
    let error = device.write(segment.params, &[0; 401]).unwrap_err().to_string();
    assert!(error.starts_with("write: expected 401 bytes of device memory at 0x"));
    let never = device.allocate(4).unwrap();
    assert!(download::<f32>(&mut device, never, 1).is_err());
}

#[test]
fn what_is_set_later_must_fit_what_the_step_was_made_with() {
    let (mut device, segment) = good(100);
    let step = made(&mut device, &[segment], Options::default()).unwrap();
    let (group, base) = (Group::new(0.05).unwrap(), Sgd::new(0.1).unwrap());
    let momentum = base.with_momentum(0.9).unwrap();
    assert_eq!(
        step.set_base(&mut device, momentum.into(), &[group; 2]).unwrap_err().to_string(),
        "descend_sgd_momentum: groups: expected 1, found 2"
    );
    assert_eq!(
        step.set_base(&mut device, base.into(), &[group]).unwrap_err().to_string(),
        "descend_sgd_momentum: base optimizer: expected sgd-momentum, found sgd"
    );
    assert_eq!(
        step.set_rho(&mut device, 1, 0.1).unwrap_err().to_string(),
        "finish_sam: group: expected one of 1 groups, found 1"
    );
    step.set_base(&mut device, momentum.into(), &[group]).unwrap();
    step.set_rho(&mut device, 0, 0.1).unwrap();
}

/// A device whose allocations fail from the n-th on, and how many buffers are out.
struct Full {
    device: Emulated,
    left: usize,
    out: usize,
}

impl Layer for Full {
    fn below(&self) -> &dyn Device {
        &self.device
    }

    fn below_mut(&mut self) -> &mut dyn Device {
        &mut self.device
    }

    fn on_allocate(&mut self, bytes: usize) -> Result<Address, DeviceError> {
        self.left = self.left.checked_sub(1).ok_or(DeviceError::OutOfMemory { bytes })?;
        self.out += 1;
        self.device.allocate(bytes)
    }

    fn on_free(&mut self, address: Address) -> Result<(), DeviceError> {
        self.out -= 1;
        self.device.free(address)
    }
}

/// Makes something on a device of 0, 1, 2... allocations until it is made: what failed left nothing.
fn leaves_nothing<T>(make: impl Fn(&mut Full) -> Result<T, DeviceError>) -> T {
    for left in 0..100 {
        let mut device = Full { device: Emulated::new(1), left, out: 0 };
        match make(&mut device) {
            Ok(made) => {
                assert!(left > 0);
                return made;
            }
            Err(DeviceError::OutOfMemory { .. }) => assert_eq!(device.out, 0, "{left} allocations"),
            Err(other) => panic!("{other}"),
        }
    }
    panic!("never made")
}

#[test]
fn what_finds_no_room_gives_back_what_it_had() {
    let place = |i: u64| (i + 1) << 20;
    let segment = DeviceSegment {
        len: 5000,
        group: 0,
        params: place(0),
        grads: place(1),
        perturbed_grads: place(2),
        out: place(3),
        state: [place(4), 0],
        ..DeviceSegment::default()
    };
    let base = Sgd::new(0.1).unwrap().with_momentum(0.9).unwrap();
    let groups = [Group::new(0.05).unwrap()];
    let step = leaves_nothing(|device| {
        DeviceStep::new(
            device,
            Sam::new().into(),
            base.into(),
            &[segment],
            &groups,
            Options::default(),
        )
    });
    let flat = Flat {
        len: 5000,
        group: 0,
        params: place(0),
        grads: place(1),
        perturbed_grads: place(2),
        perturbed: place(3),
        kept: 0,
    };
    leaves_nothing(|device| Mixes::new(device, &[flat], &step));
    let mlp = Mlp::new(&[4, 3, 2]).unwrap();
    leaves_nothing(|device| DeviceNetwork::new(device, &mlp, 8));
}

#[test]
fn loss_scale_and_clipping_norm_may_change_between_steps() {
    let clipped = |loss_scale, max_norm| Options {
        loss_scale,
        second: SecondGradient::Clipped(max_norm),
        ..Options::default()
    };
    // Set later, or from the start: the same step.
    let stepped = |options: Options, later: Option<(f32, f32)>| {
        let (mut device, segment) = good(100);
        let ramp: Vec<u8> = (0..100).flat_map(|i| (i as f32 - 20.0).to_le_bytes()).collect();
        for plane in [segment.params, segment.grads, segment.perturbed_grads] {
            device.write(plane, &ramp).unwrap();
        }
        let step = made(&mut device, &[segment], options).unwrap();
        if let Some((loss_scale, max_norm)) = later {
            step.set_loss_scale(&mut device, loss_scale).unwrap();
            step.set_max_norm(&mut device, max_norm).unwrap();
        }
        step.ascend(&mut device).unwrap();
        step.descend(&mut device).unwrap();
        [segment.params, segment.out].map(|at| download::<f32>(&mut device, at, 100).unwrap())
    };
    let expected = stepped(clipped(8.0, 0.5), None);
    assert_eq!(stepped(clipped(1.0, 3.0), Some((8.0, 0.5))), expected);
    assert_ne!(stepped(clipped(1.0, 3.0), None), expected);
    assert_ne!(stepped(clipped(1.0, 0.5), None)[0], stepped(clipped(1.0, 3.0), None)[0]);
}

#[test]
fn a_loss_scale_or_norm_out_of_range_and_a_norm_that_nobody_takes_are_refused() {
    let (mut device, segment) = good(100);
    let step = made(&mut device, &[segment], Options::default()).unwrap();
    let scale = step.set_loss_scale(&mut device, f32::INFINITY).unwrap_err().to_string();
    assert_eq!(scale, "loss_scale: expected a finite number > 0, found inf");
    let norm = step.set_max_norm(&mut device, f32::NAN).unwrap_err().to_string();
    assert_eq!(norm, "max_norm: expected a number > 0, found NaN");
    let unchecked = Options { second: SecondGradient::Unchecked, ..Options::default() };
    let step = made(&mut device, &[segment], unchecked).unwrap();
    assert_eq!(
        step.set_max_norm(&mut device, 1.0).unwrap_err().to_string(),
        "second_sgd: max_norm: expected a step that looks at its second gradient, found \
         SecondGradient::Unchecked"
    );
}

/// The planes of a good segment, as one.
fn flat(segment: &DeviceSegment) -> Flat {
    Flat {
        len: 100,
        group: 0,
        params: segment.params,
        grads: segment.grads,
        perturbed_grads: segment.perturbed_grads,
        perturbed: segment.out,
        kept: 0,
    }
}

#[test]
fn planes_of_mixes_and_batches_are_checked_too() {
    let (mut device, segment) = good(100);
    let flat = flat(&segment);
    let step = made(&mut device, &[segment], Options::default()).unwrap();
    let mut mixed = |flat| Mixes::new(&mut device, &[flat], &step).map(drop);
    assert!(mixed(flat).is_ok() && mixed(Flat { len: 0, params: 0, ..flat }).is_ok());
    for (flat, line) in [
        (
            Flat { group: 1, ..flat },
            "correct_wsam: segment 0: group: expected one of 1 groups, found 1",
        ),
        (
            Flat { grads: 0, ..flat },
            "accumulate_pair: grads: expected an address of device memory, found null",
        ),
        (
            Flat { perturbed_grads: flat.grads, ..flat },
            "accumulate_pair: perturbed_grads: expected memory of its own, found 400 bytes shared with \
             grads",
        ),
        (
            Flat { kept: flat.perturbed + 396, ..flat },
            "mix_look_sam_split: kept: expected memory of its own, found 4 bytes shared with perturbed",
        ),
    ] {
        assert_eq!(mixed(flat).unwrap_err().to_string(), line);
    }
    let misaligned = mixed(Flat { params: flat.params + 2, ..flat }).unwrap_err().to_string();
    assert!(
        misaligned.starts_with("correct_wsam: params: expected a multiple of 4 bytes, found 0x")
    );

    let mlp = Mlp::new(&[4, 3, 2]).unwrap();
    let network = DeviceNetwork::new(&mut device, &mlp, 8).unwrap();
    let batch = Batch { len: 8, inputs: segment.params, labels: segment.grads };
    let (params, grads) = (segment.out, segment.state[0]);
    network.forward(&mut device, params, batch).unwrap();
    let error = network.forward(&mut device, 0, batch).unwrap_err().to_string();
    assert_eq!(error, "forward: params: expected an address of device memory, found null");
    let no_labels = Batch { labels: 0, ..batch };
    let error = network.loss(&mut device, no_labels).unwrap_err().to_string();
    assert_eq!(error, "cross_entropy: labels: expected an address of device memory, found null");
    let error = network.backward(&mut device, params, batch, params).unwrap_err().to_string();
    assert_eq!(
        error,
        "weight_gradient: grads: expected memory of its own, found 92 bytes shared with params"
    );
    network.forward(&mut device, params, batch).unwrap();
    network.backward(&mut device, params, batch, grads).unwrap();
}

#[test]
fn mixes_and_network_refuse_what_has_no_room() {
    let mut device = Emulated::new(1);
    let mlp = Mlp::new(&[4, 3, 2]).unwrap();
    let network = DeviceNetwork::new(&mut device, &mlp, 8).unwrap();
    let batch = Batch { len: 9, inputs: 256, labels: 256 };
    let error = network.forward(&mut device, 256, batch).unwrap_err().to_string();
    assert_eq!(error, "forward: batch: expected at most 8 examples, found 9");
    let (mut device, segment) = good(100);
    let flat = flat(&segment);
    let step = made(&mut device, &[segment], Options::default()).unwrap();
    let mixes = Mixes::new(&mut device, &[flat], &step).unwrap();
    let look = LookSam::new(0.7).unwrap();
    for error in [mixes.look_sam_split(&mut device, look), mixes.look_sam_reuse(&mut device, look)]
    {
        let error = error.unwrap_err().to_string();
        assert!(
            error.ends_with("kept: expected an address of device memory, found null"),
            "{error}"
        );
    }
}
