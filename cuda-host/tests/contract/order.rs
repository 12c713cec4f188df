//! The calls of a step in place, in an order that would lose w, and in every order that would not.

use presam::{Asam, Sgd, Vasso};
use presam_cuda::{
    Address, Device, DeviceError, DeviceSegment, DeviceStep, Emulated, Form, Kernel, Layer,
    Options, download, upload,
};

use super::{Group, good, made};

/// A device that counts what it launches.
struct Counting {
    device: Emulated,
    launched: usize,
}

impl Layer for Counting {
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
        self.launched += 1;
        self.device.launch(kernel, blocks, arguments)
    }
}

/// 100 weights with gradients that move them, and a step of SAM over them.
struct Ground {
    device: Counting,
    segment: DeviceSegment,
    step: DeviceStep,
}

impl Ground {
    fn new(form: Form) -> Self {
        Self::with(form, true)
    }

    fn with(form: Form, checks_order: bool) -> Self {
        let (mut device, segment) = good(100);
        let ramp: Vec<u8> = (0..100).flat_map(|i| (i as f32 - 20.5).to_le_bytes()).collect();
        for plane in [segment.params, segment.grads, segment.perturbed_grads] {
            device.write(plane, &ramp).unwrap();
        }
        let options = Options { form, checks_order, ..Options::default() };
        let step = made(&mut device, &[segment], options).unwrap();
        Self { device: Counting { device, launched: 0 }, segment, step }
    }

    fn plane(&mut self, at: Address) -> Vec<f32> {
        download(&mut self.device, at, 100).unwrap()
    }

    /// w, its momentum and the base optimizer's steps.
    fn stands(&mut self) -> (Vec<f32>, Vec<f32>, u32) {
        let steps = self.step.states(&mut self.device).unwrap().1.steps;
        (self.plane(self.segment.params), self.plane(self.segment.state[0]), steps)
    }

    fn done(&mut self, calls: &[Call]) {
        calls.iter().for_each(|call| call(&self.step, &mut self.device).unwrap());
    }

    /// The call is refused so, and nothing was launched.
    fn refuses(&mut self, kernel: &str, call: Call) {
        let (before, launched) = (self.stands(), self.device.launched);
        let refused = call(&self.step, &mut self.device).unwrap_err().to_string();
        let line = "params: expected w, which restore() brings back, found what the last ascent made of it";
        assert_eq!(refused, format!("{kernel}: {line}"));
        assert_eq!(self.device.launched, launched, "{kernel}");
        assert_eq!(self.stands(), before, "{kernel}");
    }
}

type Call = fn(&DeviceStep, &mut dyn Device) -> Result<(), DeviceError>;
const ASCEND: Call = |step, on| step.ascend(on);
const ACCUMULATE: Call = |step, on| step.accumulate(on);
const PERTURB: Call = |step, on| step.perturb(on);
const RESTORE: Call = |step, on| step.restore(on);
const JUDGE: Call = |step, on| step.judge(on);
const TAKE: Call = |step, on| step.take(on);
const DESCEND: Call = |step, on| step.descend(on);
const SKIP: Call = |step, on| step.skip_ascent(on);
const UNCOUNT: Call = |step, on| step.uncount(on);

/// A whole step in place, as everyone takes it.
fn whole() -> (Vec<f32>, Vec<f32>, u32) {
    let mut ground = Ground::new(Form::InPlace);
    ground.done(&[ASCEND, RESTORE, DESCEND]);
    ground.stands()
}

#[test]
fn a_restore_of_what_is_at_rest_brings_no_older_w_back() {
    let mut ground = Ground::new(Form::InPlace);
    let before = ground.stands();
    ground.done(&[RESTORE]);
    assert_eq!((ground.stands(), ground.device.launched), (before, 0));
    ground.done(&[ASCEND, RESTORE, DESCEND]);
    let (after, launched) = (ground.stands(), ground.device.launched);
    ground.done(&[RESTORE, RESTORE]);
    assert_eq!((ground.stands(), ground.device.launched), (after, launched));
}

#[test]
fn while_w_is_perturbed_in_place_nothing_else_takes_it_for_w() {
    let mut ground = Ground::new(Form::InPlace);
    for _ in 0..2 {
        ground.done(&[ASCEND]);
        ground.refuses("accumulate_sam_f32", ASCEND);
        ground.refuses("accumulate_sam_f32", ACCUMULATE);
        ground.refuses("ascend_in_place_sam_f32", PERTURB);
        ground.refuses("descend_sgd_momentum", DESCEND);
        ground.refuses("descend_sgd_momentum", TAKE);
        ground.refuses("descend_sgd_momentum", SKIP);
        ground.done(&[RESTORE, DESCEND]);
    }
    let mut plain = Ground::new(Form::InPlace);
    plain.done(&[ASCEND, RESTORE, DESCEND, ASCEND, RESTORE, DESCEND]);
    assert_eq!(ground.stands(), plain.stands());
}

#[test]
fn every_order_that_loses_nothing_is_taken() {
    let orders: [&[Call]; 5] = [
        &[ACCUMULATE, ACCUMULATE, PERTURB, RESTORE, DESCEND],
        &[ASCEND, RESTORE, RESTORE, JUDGE, TAKE],
        // g~ may be judged before w is back, and by whoever is refused between twice.
        &[ASCEND, JUDGE, RESTORE, TAKE],
        &[ASCEND, RESTORE, JUDGE, UNCOUNT, DESCEND],
        // A step that is given up.
        &[ASCEND, RESTORE, ASCEND, RESTORE, DESCEND],
    ];
    for (number, order) in orders.into_iter().enumerate() {
        let mut ground = Ground::new(Form::InPlace);
        ground.done(order);
        assert_eq!(ground.stands(), whole(), "order {number}");
    }
    // The base optimizer's alone, at first, and after a step that was given up.
    for order in [&[DESCEND][..], &[SKIP, DESCEND], &[ASCEND, RESTORE, SKIP, DESCEND]] {
        let mut ground = Ground::new(Form::InPlace);
        ground.done(order);
        assert_eq!(ground.stands(), whole());
    }
}

#[test]
fn an_ascent_that_was_not_finite_is_restored_like_any_other() {
    let mut ground = Ground::new(Form::InPlace);
    let before = ground.stands();
    ground.device.write(ground.segment.grads, &f32::NAN.to_le_bytes()).unwrap();
    ground.done(&[ASCEND]);
    ground.refuses("descend_sgd_momentum", DESCEND);
    ground.done(&[RESTORE, DESCEND]);
    assert_eq!(ground.stands(), before);
}

#[test]
fn where_w_stays_every_order_is_taken_as_before() {
    // Mixed, the first restore makes what the model reads: w, rounded.
    let mut ground = Ground::new(Form::Mixed);
    ground.done(&[RESTORE]);
    let w = ground.plane(ground.segment.params);
    assert_eq!(ground.plane(ground.segment.out), w);
    for form in [Form::Mixed, Form::OutOfPlace] {
        for order in [&[ASCEND, ASCEND, DESCEND][..], &[RESTORE, ASCEND, RESTORE, DESCEND]] {
            let mut ground = Ground::new(form);
            ground.done(order);
            assert_eq!(ground.stands(), whole(), "{form:?}");
        }
    }
}

#[test]
fn whoever_times_one_pass_may_repeat_it() {
    let mut ground = Ground::with(Form::InPlace, false);
    ground.done(&[ASCEND, PERTURB, PERTURB, RESTORE, RESTORE]);
    // The norm's two and the ascent, then each again.
    assert_eq!(ground.device.launched, 7);
}

#[test]
fn a_step_that_goes_on_where_another_is_brings_its_w_back() {
    let mut ground = Ground::new(Form::InPlace);
    ground.done(&[ASCEND]);
    let options = Options { form: Form::InPlace, ..Options::default() };
    let next = made(&mut ground.device.device, &[ground.segment], options).unwrap();
    next.go_on_from(&mut ground.device, &ground.step).unwrap();
    // A copy of a step is over the same w.
    let copy = next.clone();
    std::mem::replace(&mut ground.step, next).free(&mut ground.device).unwrap();
    ground.refuses("descend_sgd_momentum", DESCEND);
    copy.restore(&mut ground.device).unwrap();
    ground.done(&[DESCEND]);
    assert_eq!(ground.stands(), whole());
}

#[test]
fn where_nothing_is_perturbed_there_is_nothing_to_restore() {
    let (mut device, segment) = good(100);
    let (group, base) = (Group::new(0.05).unwrap(), Sgd::new(0.1).unwrap());
    let segment = DeviceSegment { state: [0; 2], ..segment };
    let options = Options { form: Form::InPlace, ..Options::default() };
    let step = |device: &mut Emulated, variant, segment, group| {
        DeviceStep::new(device, variant, base.into(), &[segment], &[group], options).unwrap()
    };
    let still = step(&mut device, Asam::default().into(), segment, group.not_perturbed());
    for _ in 0..2 {
        still.ascend(&mut device).unwrap();
        still.descend(&mut device).unwrap();
    }
    // A rule with memory renews it in the same pass, which keeps w in the backup as everywhere.
    let memory = [upload(&mut device, &[0.0_f32; 100]).unwrap(), 0];
    let segment = DeviceSegment { memory, ..segment };
    let moved = step(&mut device, Vasso::default().into(), segment, group.counted_only());
    moved.ascend(&mut device).unwrap();
    assert!(moved.descend(&mut device).is_err());
    moved.restore(&mut device).unwrap();
    moved.descend(&mut device).unwrap();
}
