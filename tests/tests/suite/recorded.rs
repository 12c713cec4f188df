//! The halves of a step in place, recorded and replayed: a recorded call is not done, so that no order is refused and
//! every restore is asked of the device.

use presam::{AnyBase, Group};
use presam_backends::Recorder;
use presam_cuda::{
    Device, DeviceError, DeviceSegment, DeviceStep, Emulated, Form, Options, Recording, download,
    recorded, upload,
};

const LEN: usize = 3000;

/// A device that records, and ASAM over one tensor on it.
struct Ground {
    device: Recorder,
    params: u64,
    step: DeviceStep,
}

fn ground() -> Ground {
    let mut device = Recorder::over(Emulated::new(2));
    let numbers = |seed: usize| -> Vec<f32> {
        (0..LEN).map(|i| ((i + seed) * 37 % 101) as f32 / 16.0 - 3.0).collect()
    };
    let mut plane = |seed| upload(&mut device, &numbers(seed)).unwrap();
    let (params, grads, perturbed_grads, out) = (plane(0), plane(5), plane(9), plane(1));
    let state = [0; 2].map(|_| upload(&mut device, &[0.0_f32; LEN]).unwrap());
    let len = LEN as u64;
    let segment =
        DeviceSegment { len, params, grads, perturbed_grads, out, state, ..Default::default() };
    let options = Options { form: Form::InPlace, ..Options::default() };
    let (variant, base) = (presam::Asam::default().into(), AnyBase::by_name("adamw").unwrap());
    let groups = [Group::new(0.1).unwrap()];
    let step = DeviceStep::new(&mut device, variant, base, &[segment], &groups, options).unwrap();
    Ground { device, params, step }
}

impl Ground {
    fn record(
        &mut self,
        half: impl FnOnce(&DeviceStep, &mut Recorder) -> Result<(), DeviceError>,
    ) -> Recording {
        recorded(&mut self.device, |on| half(&self.step, on)).unwrap()
    }

    fn replay(&mut self, recordings: &[&Recording]) {
        recordings.iter().for_each(|recording| self.device.replay(recording).unwrap());
    }

    fn whole(&mut self) {
        self.step.ascend(&mut self.device).unwrap();
        self.back_and_down();
    }

    fn back_and_down(&mut self) {
        back_and_down(&self.step, &mut self.device).unwrap();
    }

    fn params(&mut self) -> Vec<f32> {
        download(&mut self.device, self.params, LEN).unwrap()
    }
}

fn back_and_down(step: &DeviceStep, on: &mut Recorder) -> Result<(), DeviceError> {
    step.restore(on)?;
    step.descend(on)
}

/// w after so many steps that nobody recorded.
fn after(steps: usize) -> Vec<f32> {
    let mut ground = ground();
    (0..steps).for_each(|_| ground.whole());
    ground.params()
}

#[test]
fn halves_recorded_alone_are_replayed_in_their_order() {
    let mut ground = ground();
    let ascent = ground.record(|step, on| step.ascend(on));
    let descent = ground.record(back_and_down);
    for _ in 0..2 {
        ground.replay(&[&ascent, &descent]);
    }
    assert_eq!(ground.params(), after(2));
}

/// The host has not seen the ascent that the device makes at a replay, nor the restore.
#[test]
fn a_half_that_is_replayed_goes_on_by_calls_and_the_other_way_round() {
    let mut ground = ground();
    ground.whole();
    let ascent = ground.record(|step, on| step.ascend(on));
    ground.replay(&[&ascent]);
    ground.back_and_down();
    let descent = ground.record(back_and_down);
    ground.step.ascend(&mut ground.device).unwrap();
    ground.replay(&[&descent, &ascent]);
    ground.back_and_down();
    ground.whole();
    assert_eq!(ground.params(), after(5));
}

#[test]
fn a_recording_that_is_given_up_leaves_w_where_it_is() {
    let mut ground = ground();
    ground.step.ascend(&mut ground.device).unwrap();
    drop(ground.record(back_and_down));
    // The ascent was made, and what was to bring w back was not.
    ground.back_and_down();
    drop(ground.record(|step, on| step.ascend(on)));
    ground.whole();
    assert_eq!(ground.params(), after(2));
}

#[test]
fn within_a_recording_the_order_is_the_callers() {
    let mut ground = ground();
    ground.step.ascend(&mut ground.device).unwrap();
    assert!(ground.step.descend(&mut ground.device).is_err());
    let descent = ground.record(|step, on| step.descend(on));
    ground.step.restore(&mut ground.device).unwrap();
    ground.replay(&[&descent]);
    assert_eq!(ground.params(), after(1));
}
