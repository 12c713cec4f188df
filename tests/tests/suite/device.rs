//! The kernels, emulated and as PTX text: the bits of core in every law of the suite.

use presam::{AnyBase, AnyVariant, Cpu, Group};
use presam_backends::tensor::{Layout, copied, narrowed};
use presam_backends::{Devices, Extras, Phases};
use presam_conformance::compare::{same_bits, same_planes};
use presam_conformance::{Base, Both, Case, LengthRule, Options, Rule, RuleState, Segment, check};
use presam_cuda::{Device, DeviceSegment, DeviceStep, Emulated, Form, Ptx, download, upload};
use presam_tests::{config, every_law_holds};

/// Every plane 4 bytes past a multiple of 16.
const MISALIGNED: Layout = Layout { mixed: None, shift: 4 };

fn every_law(candidate: Devices<impl Device>, cases: u32) {
    let mut both = Both { reference: Phases(Cpu::plain()), candidate };
    let reports = check::<f32, _>(&mut both, config(cases));
    every_law_holds(&reports.unwrap_or_else(|failure| panic!("{failure}")));
}

#[test]
fn emulated_kernels_give_the_bits_of_core_in_every_law() {
    every_law(Devices::emulated(Form::OutOfPlace), 16);
}

#[test]
fn emulated_kernels_in_place_do_too() {
    every_law(Devices::emulated(Form::InPlace), 12);
}

#[test]
fn emulated_kernels_on_misaligned_buffers_do_too() {
    every_law(Devices { layout: MISALIGNED, ..Devices::emulated(Form::OutOfPlace) }, 12);
}

#[test]
fn the_committed_texts_do_too() {
    let aligned = Layout::default();
    every_law(Devices { device: Ptx::new(5), form: Form::OutOfPlace, layout: aligned }, 3);
    every_law(Devices { device: Ptx::new(6), form: Form::InPlace, layout: MISALIGNED }, 2);
}

/// Numbers that rounding to 16 bits gets wrong first: ties, what overflows, subnormal numbers of both, infinities,
/// NaN; and the numbers next to them.
fn hard_to_round() -> Vec<f32> {
    let ties = [0x3f80_8000_u32, 0x3f81_8000, 0x3f80_1000, 0x3f80_3000, 0x3300_0000, 0x3380_0000];
    let ends = [0x477f_efff, 0x477f_f000, 0x4780_0000, 0x7f7f_7fff, 0x7f7f_8000, 0x7f7f_ffff];
    let small = [0, 1, 0x8000, 0x0001_8000, 0x0080_0000, 0x387f_f000, 0x3880_0000, 0x33c0_0000];
    let special = [0x7f80_0000, 0x7f80_0001, 0x7fc0_0000, 0x7fff_ffff];
    let bits = ties.into_iter().chain(ends).chain(small).chain(special);
    let near = bits.flat_map(|bits| [bits.saturating_sub(1), bits, bits + 1]);
    near.flat_map(|bits| [bits, bits | 1 << 31]).map(f32::from_bits).collect()
}

/// A case of three tensors whose w is hard to round, of gradients that are finite or not, the last tensor still.
fn hard_case([grad, second]: [f32; 2]) -> Case<f32> {
    let params = hard_to_round();
    let plane = |value: f32| -> Vec<f32> {
        (0..params.len()).map(|i| if i == 7 { value } else { 0.0 }).collect()
    };
    let segment = |is_perturbed| Segment {
        options: Options { is_perturbed, ..Options::new(0.25) },
        params: params.clone(),
        grads: plane(grad),
        perturbed_grads: plane(second),
        memory: vec![],
        inputs: vec![],
        state: vec![plane(0.5)],
    };
    Case {
        rule: Rule::Sam,
        length: LengthRule::Unnormalised,
        segments: [true, true, false].map(segment).to_vec(),
        rule_state: RuleState::default(),
        base: Base::SgdMomentum {
            learning_rate: 0.5,
            weight_decay: 0.0,
            momentum: 0.5,
            dampening: 0.0,
            nesterov: false,
        },
        base_steps: 3,
    }
}

fn mixed_is_the_core_rounded(device: impl Device) {
    let mut devices = Devices { device, form: Form::Mixed, layout: Layout::default() };
    for turn in 0..27 {
        let layout = Layout { mixed: Some(turn), shift: [0, 4][turn % 2] };
        let grads = [[1.0, 3.0], [f32::NAN, 1.0], [1.0, f32::INFINITY]][turn / 3 % 3];
        devices.layout = layout;
        let case = narrowed(&hard_case(grads), Form::Mixed, layout);
        let mut expected = Phases(Cpu::plain()).step_with(&case, Extras::NONE).unwrap();
        copied(&case, &mut expected, layout);
        let found = devices.steps(&[case], Extras::NONE).unwrap().remove(0);
        // A norm that is not finite is a NaN.
        let told = [&expected, &found].map(|stepped| format!("{:?}", stepped.report));
        assert_eq!(told[0], told[1], "{layout:?}");
        same_planes(&expected.answer, &found.answer).unwrap();
        for (expected, found) in expected.model.iter().zip(&found.model) {
            for (expected, found) in expected.iter().zip(found) {
                same_bits("what the model reads", expected, found).unwrap();
            }
        }
    }
}

#[test]
fn a_mixed_step_gives_the_bits_of_core_and_their_roundings() {
    mixed_is_the_core_rounded(Emulated::new(3));
    mixed_is_the_core_rounded(Ptx::new(3));
}

/// Before the base optimizer's first step there is no momentum to follow, whatever lies in its plane.
fn momentum_begins_with_the_first_step(mut device: impl Device) {
    const LEN: usize = 2100;
    let mut plane = |value: f32| upload(&mut device, &[value; LEN]).unwrap();
    let [params, perturbed_grads, out] = [1.0, 0.5, 0.0].map(&mut plane);
    for garbage in [3.0, f32::NAN] {
        let momentum = upload(&mut device, &[garbage; LEN]).unwrap();
        let segment = DeviceSegment {
            len: LEN as u64,
            params,
            grads: momentum,
            perturbed_grads,
            out,
            state: [momentum, 0],
            ..DeviceSegment::default()
        };
        let (rule, base) = (AnyVariant::by_name("momentum-sam"), AnyBase::by_name("sgd-momentum"));
        let options = presam_cuda::Options { along_momentum: true, ..Default::default() };
        let groups = [Group::new(0.5).unwrap()];
        let (rule, base) = (rule.unwrap(), base.unwrap());
        let step = DeviceStep::new(&mut device, rule, base, &[segment], &groups, options).unwrap();
        let mut moves = || {
            step.ascend(&mut device).unwrap();
            let [w, up] = [params, out].map(|at| download::<f32>(&mut device, at, LEN).unwrap());
            step.descend(&mut device).unwrap();
            assert!(w.iter().chain(&up).all(|w| w.is_finite()));
            w != up
        };
        assert_eq!([moves(), moves()], [false, true], "{garbage}");
        step.free(&mut device).unwrap();
    }
}

#[test]
fn momentum_is_followed_from_the_second_step_on() {
    momentum_begins_with_the_first_step(Emulated::new(4));
    momentum_begins_with_the_first_step(Ptx::new(4));
}
