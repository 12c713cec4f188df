//! A step on a device whose gradients lie elsewhere in every step: the bits of one whose gradients stay.

use presam::{AnyBase, Group};
use presam_backends::Recorder;
use presam_cuda::{
    Address, Device, DeviceSegment, DeviceStep, Emulated, Form, Options, download, recorded, upload,
};

const LENGTHS: [usize; 3] = [5, 3000, 64];
const STEPS: usize = 5;

/// A device, tensors of ordinary numbers on it, and gradients for each half of each step.
struct Ground<D> {
    device: D,
    segments: Vec<DeviceSegment>,
}

fn number(seed: usize) -> f32 {
    (seed * 37 % 101) as f32 / 16.0 - 3.0
}

fn gradient(len: usize, step: usize, half: usize) -> Vec<f32> {
    (0..len).map(|i| number(i + 13 * step + 7 * half + len)).collect()
}

impl<D: Device> Ground<D> {
    fn new(mut device: D) -> Self {
        let segment = |(group, &len): (usize, &usize)| {
            let w: Vec<f32> = (0..len).map(number).collect();
            let mut zeros = || upload(&mut device, &vec![0.0_f32; len]).unwrap();
            DeviceSegment {
                len: len as u64,
                group: group.min(1),
                grads: zeros(),
                perturbed_grads: zeros(),
                out: zeros(),
                state: [zeros(), zeros()],
                params: upload(&mut device, &w).unwrap(),
                ..DeviceSegment::default()
            }
        };
        let segments = LENGTHS.iter().enumerate().map(segment).collect();
        Self { device, segments }
    }

    fn step(&mut self) -> DeviceStep {
        let base = AnyBase::by_name("adamw").unwrap();
        let groups = [Group::new(0.1).unwrap(), Group::new(0.2).unwrap()];
        let options = Options { form: Form::InPlace, ..Options::default() };
        let variant = presam::Asam::default().into();
        DeviceStep::new(&mut self.device, variant, base, &self.segments, &groups, options).unwrap()
    }

    /// Gradients at the places of the step.
    fn write(&mut self, places: &[Address], step: usize, half: usize) {
        for (&place, len) in places.iter().zip(LENGTHS) {
            let bytes: Vec<u8> =
                gradient(len, step, half).iter().flat_map(|g| g.to_le_bytes()).collect();
            self.device.write(place, &bytes).unwrap();
        }
    }

    /// Gradients at places of their own.
    fn fresh(&mut self, step: usize, half: usize) -> Vec<Address> {
        let made = LENGTHS.map(|len| upload(&mut self.device, &gradient(len, step, half)).unwrap());
        made.to_vec()
    }

    fn params(&mut self) -> Vec<Vec<f32>> {
        let at = |(segment, len): (&DeviceSegment, usize)| {
            download(&mut self.device, segment.params, len).unwrap()
        };
        self.segments.iter().zip(LENGTHS).map(at).collect()
    }
}

/// What a step whose gradients stay makes of these numbers of steps.
fn still(steps: impl Iterator<Item = usize>) -> Vec<Vec<f32>> {
    let mut ground = Ground::new(Emulated::new(1));
    let step = ground.step();
    let first: Vec<_> = ground.segments.iter().map(|segment| segment.grads).collect();
    let second: Vec<_> = ground.segments.iter().map(|segment| segment.perturbed_grads).collect();
    for number in steps {
        ground.write(&first, number, 0);
        step.ascend(&mut ground.device).unwrap();
        ground.write(&second, number, 1);
        step.restore(&mut ground.device).unwrap();
        step.descend(&mut ground.device).unwrap();
    }
    ground.params()
}

fn whole(
    on: &mut impl Device,
    step: &mut DeviceStep,
    [first, second]: [&[Address]; 2],
) -> Result<(), presam_cuda::DeviceError> {
    step.set_gradients(on, first)?;
    step.ascend(on)?;
    step.set_second_gradients(on, second)?;
    step.restore(on)?;
    step.descend(on)
}

#[test]
fn gradients_that_move_are_found() {
    let mut ground = Ground::new(Emulated::new(2));
    let mut step = ground.step();
    for number in 0..STEPS {
        let (first, second) = (ground.fresh(number, 0), ground.fresh(number, 1));
        whole(&mut ground.device, &mut step, [&first, &second]).unwrap();
    }
    assert_eq!(ground.params(), still(0..STEPS));
}

/// Recorded, replayed, moved elsewhere, replayed again: each finds its own gradients.
#[test]
fn a_replay_finds_the_gradients_of_its_recording() {
    let mut ground = Ground::new(Recorder::over(Emulated::new(3)));
    let mut step = ground.step();
    let [own, others] = [0, 2].map(|number| [ground.fresh(number, 0), ground.fresh(number, 1)]);
    let [first, second] = &own;
    let recording =
        recorded(&mut ground.device, |on| whole(on, &mut step, [first, second])).unwrap();
    let replayed = |ground: &mut Ground<Recorder>, number| {
        ground.write(first, number, 0);
        ground.write(second, number, 1);
        ground.device.replay(&recording).unwrap();
    };
    replayed(&mut ground, 0);
    replayed(&mut ground, 1);
    // Places that the step has met before the last replay, and not in it.
    whole(&mut ground.device, &mut step, [&others[0], &others[1]]).unwrap();
    replayed(&mut ground, 3);
    ground.write(&others[0], 4, 0);
    ground.write(&others[1], 4, 1);
    whole(&mut ground.device, &mut step, [&others[0], &others[1]]).unwrap();
    assert_eq!(ground.params(), still(0..STEPS));
}
