//! Places of gradients and base optimizers of groups that are told between steps.

use presam::{AdamW, AnyBase, Group, MomentumSam, SecondGradient, Sgd, Wsam};
use presam_cuda::{Address, DeviceSegment, DeviceStep, Flat, Form, Mixes, Options, upload};

use super::{good, made};

#[test]
fn a_gradient_is_refused_where_the_kernels_could_not_read_it() {
    let (mut device, segment) = good(100);
    let empty = DeviceSegment { len: 0, ..segment };
    let mut step = made(&mut device, &[segment, empty], Options::default()).unwrap();
    let place = upload(&mut device, &[0.0_f32; 104]).unwrap();
    let mut told = |grads: &[Address]| {
        step.set_gradients(&mut device, grads).map_err(|error| error.to_string())
    };
    assert_eq!(told(&[place, 0]), Ok(()));
    assert_eq!(told(&[place + 16, 7]), Ok(()));
    assert_eq!(told(&[place]).unwrap_err(), "accumulate_sam_f32: grads: expected 2, found 1");
    let null =
        "accumulate_sam_f32: segment 0: grads: expected an address of device memory, found null";
    assert_eq!(told(&[0, 0]).unwrap_err(), null);
    let odd = told(&[place + 2, 0]).unwrap_err();
    assert!(odd.contains("expected a multiple of 4 bytes, found 0x"), "{odd}");
    let narrow = told(&[place + 4, 0]).unwrap_err();
    assert!(
        narrow.contains("expected a multiple of 16 bytes, as when the step was made"),
        "{narrow}"
    );
    for plane in [segment.params, segment.out, segment.state[0], segment.out + 384] {
        let over = told(&[plane, 0]).unwrap_err();
        assert!(over.contains("expected memory of its own, found"), "{over}");
    }
    // Both gradients may lie over each other, and what was refused has changed nothing.
    assert_eq!(told(&[segment.perturbed_grads, 0]), Ok(()));
    let second = step.set_second_gradients(&mut device, &[segment.params, 0]).unwrap_err();
    assert_eq!(
        second.to_string(),
        "descend_sgd_momentum: segment 0: perturbed_grads: expected memory of its own, found 400 bytes shared with a \
         plane that is written"
    );
}

#[test]
fn the_slope_of_momentum_sam_is_not_a_gradient() {
    let (mut device, segment) = good(100);
    let segment = DeviceSegment { grads: segment.state[0], ..segment };
    let base = Sgd::new(0.1).unwrap().with_momentum(0.9).unwrap();
    let options = Options { along_momentum: true, ..Options::default() };
    let (groups, variant) = ([Group::new(0.05).unwrap()], MomentumSam::new().into());
    let step = DeviceStep::new(&mut device, variant, base.into(), &[segment], &groups, options);
    let refused = step.unwrap().set_gradients(&mut device, &[segment.grads]).unwrap_err();
    assert!(refused.to_string().ends_with("expected the momentum, state[0], found gradients"));
}

#[test]
fn groups_share_what_their_one_count_of_steps_rests_on() {
    let (mut device, mut segment) = good(100);
    segment.state[1] = upload(&mut device, &[0.0_f32; 100]).unwrap();
    let (adamw, groups) = (AdamW::new(0.1).unwrap(), [Group::new(0.05).unwrap(); 2]);
    let (variant, options) = (presam::Sam::new().into(), Options::default());
    let step = DeviceStep::new(&mut device, variant, adamw.into(), &[segment], &groups, options);
    let step = step.unwrap();
    let base = AnyBase::from(adamw);
    let keyed = |key, value| base.set(key, value).unwrap();
    let mut told = |bases: &[AnyBase<f32>]| {
        step.set_bases(&mut device, bases).map_err(|error| error.to_string())
    };
    assert_eq!(told(&[base, keyed("learning_rate", 0.5)]), Ok(()));
    assert_eq!(told(&[base, keyed("denominator_guard", 0.5)]), Ok(()));
    assert_eq!(told(&[base]).unwrap_err(), "descend_adamw: groups: expected 2, found 1");
    let sgd = Sgd::new(0.1).unwrap().into();
    let other = "descend_adamw: base optimizer: expected adamw, found sgd";
    assert_eq!(told(&[base, sgd]).unwrap_err(), other);
    let decays = told(&[base, keyed("mean_decay", 0.5)]).unwrap_err();
    assert_eq!(
        decays,
        "descend_adamw: decays of group 1: expected [0.8999999761581421, 0.9990000128746033], as of group 0, found [0.5, \
         0.9990000128746033]"
    );
}

#[test]
fn a_mix_refuses_second_gradients_that_share_memory() {
    let (mut device, segment) = good(100);
    let step = made(&mut device, &[segment], Options::default()).unwrap();
    let mut plane = || upload(&mut device, &[0.0_f32; 400]).unwrap();
    let (first, second, params) = (plane(), plane(), plane());
    let piece = |len: usize, at: u64| Flat {
        len,
        group: 0,
        params: params + at,
        grads: first + at,
        perturbed_grads: second + at,
        perturbed: 0,
        kept: 0,
    };
    let pieces = [piece(100, 0), piece(8, 400), piece(0, 432)];
    let mut mixes = Mixes::new(&mut device, &pieces, &step).unwrap();
    assert!(mixes.distance(&mut device).unwrap_err().to_string().ends_with("found null"));
    let mut told = |grads: [Address; 3], second: [Address; 3]| {
        mixes.set_gradients(&mut device, &grads, &second).map_err(|error| error.to_string())
    };
    assert_eq!(told([first, first + 400, 0], [second, second + 400, 0]), Ok(()));
    // Both first gradients in one memory, the shorter within the longer: read alone.
    assert_eq!(told([first, first + 16, 0], [second, second + 400, 0]), Ok(()));
    let both = "memory of its own, since both gradients are looked at: whoever clears gradients in place has one for both, found the first gradient's";
    for over in [first, first + 16, first + 384] {
        let refused = told([first, first + 16, 0], [second, over, 0]).unwrap_err();
        assert!(refused.ends_with(both), "{refused}");
    }
    let refused = told([first, first + 400, 0], [second, second + 384, 0]).unwrap_err();
    assert!(
        refused
            .ends_with("memory of its own for each: a mix writes over it, found two that share it")
    );
    let refused = told([first, first + 400, 0], [second, params + 16, 0]).unwrap_err();
    assert!(refused.ends_with("32 bytes shared with a plane that is written"), "{refused}");
}

#[test]
fn a_step_goes_on_from_one_of_its_own_kind_alone() {
    let (mut device, segment) = good(100);
    let mut step = |options| made(&mut device, &[segment], options).unwrap();
    let plain = step(Options::default());
    let unchecked = step(Options { second: SecondGradient::Unchecked, ..Options::default() });
    let same = step(Options { loss_scale: 2.0, ..Options::default() });
    assert_eq!(plain.go_on_from(&mut device, &same), Ok(()));
    assert_eq!(
        unchecked.go_on_from(&mut device, &plain).unwrap_err().to_string(),
        "finish_sam: the step to go on from: expected OutOfPlace, along the gradient, g~ not looked at, found OutOfPlace, \
         along the gradient, g~ looked at"
    );
}

#[test]
fn decoupled_wsam_is_refused_where_the_model_s_parameters_are_copies() {
    let (mut device, segment) = good(100);
    let options = Options { form: Form::Mixed, ..Options::default() };
    let step = made(&mut device, &[segment], options).unwrap();
    let piece = Flat {
        len: 100,
        group: 0,
        params: segment.params,
        grads: segment.grads,
        perturbed_grads: segment.perturbed_grads,
        perturbed: 0,
        kept: 0,
    };
    let mixes = Mixes::new(&mut device, &[piece], &step).unwrap();
    let wsam = Wsam::new(0.5).unwrap();
    assert_eq!(
        mixes.wsam_decoupled(&mut device, wsam).unwrap_err().to_string(),
        "correct_wsam: form: expected OutOfPlace or InPlace, whose model reads w, found Mixed"
    );
    assert_eq!(mixes.wsam(&mut device, wsam), Ok(()));
}
