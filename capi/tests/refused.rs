//! Bad input from C: the status says what is wrong and at which argument, and no byte is touched.

#![allow(unsafe_code, clippy::unwrap_used, reason = "C's functions; a test fails by panicking")]

mod common;

use common::trial::{Model, message, ok, what};
use common::{Api, Held, Planes, Seeded, group, report};
use presam::{AnyBase, AnyVariant};
use presam_capi::*;
use std::ptr::{null, null_mut};

fn addresses<R: Api>() {
    let mut m = Model::<R>::new();
    let null = Code::Null;
    m.tensor_refused(null, Argument::Params, |t| t.params = null_mut());
    m.tensor_refused(null, Argument::Grads, |t| t.grads = std::ptr::null());
    m.tensor_refused(null, Argument::Backup, |t| t.backup = null_mut());
    m.tensor_refused(null, Argument::Memory1, |t| t.memory[1] = null_mut());
    m.tensor_refused(null, Argument::State0, |t| t.state[0] = null_mut());
    m.tensor_refused(null, Argument::Group, |t| t.group = std::ptr::null());
    let odd = |at: *mut R| at.wrapping_byte_add(1);
    m.tensor_refused(Code::Misaligned, Argument::Params, |t| t.params = odd(t.params));
    m.tensor_refused(Code::Misaligned, Argument::Memory0, |t| t.memory[0] = odd(t.memory[0]));
    m.tensor_refused(Code::Misaligned, Argument::Group, |t| t.group = t.group.wrapping_byte_add(1));
    m.tensor_refused(Code::TooLong, Argument::Len, |t| t.len = usize::MAX);
    m.tensor_refused(Code::TooLong, Argument::Len, |t| t.len = isize::MAX as usize / 2);
}

#[test]
fn null_misaligned_and_endless_planes() {
    addresses::<f32>();
    addresses::<f64>();
}

fn overlaps<R: Api>() {
    let mut m = Model::<R>::new();
    let first = m.tensors[0];
    m.tensor_refused(Code::Overlap, Argument::Backup, |t| t.backup = t.params);
    m.tensor_refused(Code::Overlap, Argument::Grads, |t| t.grads = t.params);
    m.tensor_refused(Code::Overlap, Argument::Memory1, |t| t.memory[1] = t.memory[0]);
    m.tensor_refused(Code::Overlap, Argument::State1, |t| t.state[1] = t.backup);
    // The last element of one is the first of the other.
    m.tensor_refused(Code::Overlap, Argument::Backup, |t| {
        (t.params, t.backup) = (first.params, first.params.wrapping_add(4));
    });
    let state: *mut R = (&raw mut m.state).cast();
    m.tensor_refused(Code::Overlap, Argument::Params, |t| t.params = state);
    // Two tensors: the calls of a step look at one, `check` at all.
    let shared = first.params.wrapping_add(19);
    m.tensors[1].params = shared;
    // SAFETY: nothing is written.
    m.refuses((Code::Overlap as u32, Argument::Params as u32, 1), |m| unsafe {
        R::check(&m.state, m.tensors.as_ptr(), 2)
    });
    m.tensors[1] = m.planes[1].c(&m.groups[..]);
    // A plane in the group of another.
    let in_group: *mut R = (&raw mut m.groups[0]).cast();
    m.tensors[1].backup = in_group;
    // SAFETY: nothing is written.
    m.refuses((Code::Overlap as u32, Argument::Backup as u32, 1), |m| unsafe {
        R::check(&m.state, m.tensors.as_ptr(), 2)
    });
    // A plane in another struct of the array.
    let inside: *mut R = (&raw mut m.tensors[0]).cast();
    m.tensors[1].backup = inside;
    let expected = (Code::Overlap as u32, Argument::Backup as u32, 1);
    // SAFETY: refused before it writes.
    m.refuses(expected, |m| unsafe { R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2) });
}

#[test]
fn planes_that_share_memory() {
    overlaps::<f32>();
    overlaps::<f64>();
}

#[test]
fn inputs_may_be_one_plane_and_a_backup_may_be_left_out() {
    let variant = AnyVariant::<f32>::by_name("pre-sam").unwrap();
    let base = AnyBase::by_name("sgd").unwrap();
    let mut planes = Planes::new((0, 9), &variant, &base, &mut Seeded(4));
    let groups = [group(0.1, PRESAM_GROUP_NOT_PERTURBED, 0.0)];
    let mut tensor = planes.c(&groups);
    (tensor.inputs[1], tensor.backup) = (tensor.inputs[0], null_mut());
    let held = Held::new("pre-sam", "sgd", &[], &[]);
    let mut state = f32::ZERO_STATE;
    // SAFETY: all of it lives.
    unsafe {
        ok(f32::init(&mut state, size_of_val(&state), &held.config));
        ok(f32::ascend_all(&mut state, &mut tensor, 1));
        ok(f32::descend_all(&mut state, &mut tensor, 1));
        ok(f32::ascend_all(&mut state, null_mut(), 0));
    }
}

fn structs<R: Api>() {
    let mut m = Model::<R>::new();
    m.tensor_refused(Code::StructSize, Argument::Tensor, |t| t.size -= 1);
    m.tensor_refused(Code::StructVersion, Argument::Tensor, |t| t.version += 1);
    m.tensor_refused(Code::Range, Argument::Mark, |t| t.mark.stage = 7);
    let good = *m.groups;
    type Spoil = fn(&mut Group);
    let cases: [(Code, Argument, Spoil); 7] = [
        (Code::StructSize, Argument::Group, |g| g.size = 0),
        (Code::StructVersion, Argument::Group, |g| g.version = 0),
        (Code::Unknown, Argument::GroupFlags, |g| g.flags = 16),
        (Code::Unknown, Argument::GroupFlags, |g| g.reserved = 1),
        (Code::Range, Argument::Rho, |g| g.rho = f64::NAN),
        (Code::Range, Argument::Rho, |g| g.rho = -0.5),
        (Code::Range, Argument::WeightDecay, |g| {
            (g.flags, g.weight_decay) = (PRESAM_GROUP_OWN_WEIGHT_DECAY, f64::NAN);
        }),
    ];
    for (code, argument, spoil) in cases {
        spoil(&mut m.groups[1]);
        m.tensor_refused(code, argument, |_| {});
        *m.groups = good;
    }
}

#[test]
fn structs_of_another_size_or_version_and_numbers_out_of_range() {
    structs::<f32>();
    structs::<f64>();
}

fn configurations<R: Api>() {
    let mut m = Model::<R>::new();
    type Spoil = fn(&mut Config);
    let cases: [(Code, Argument, Spoil); 15] = [
        (Code::StructSize, Argument::Config, |c| c.size += 8),
        (Code::StructVersion, Argument::Config, |c| c.version = 0),
        (Code::Unknown, Argument::Flags, |c| c.flags = 2),
        (Code::Unknown, Argument::Flags, |c| c.reserved = 1),
        (Code::Unknown, Argument::Variant, |c| c.variant_name = null()),
        (Code::Unknown, Argument::Variant, |c| {
            (c.variant_name, c.variant) = (null(), presam::variants::ALL.len() as u32 + 1);
        }),
        (Code::Unknown, Argument::Variant, |c| c.variant_name = c"sma".as_ptr()),
        (Code::Unknown, Argument::Variant, |c| c.variant_name = c"\xff".as_ptr()),
        (Code::Unknown, Argument::Base, |c| (c.base_name, c.base) = (null(), u32::MAX)),
        (Code::Range, Argument::Unnormalised, |c| c.unnormalised = f64::NAN),
        (Code::Range, Argument::Unnormalised, |c| c.unnormalised = 1.5),
        (Code::Range, Argument::NormGuard, |c| c.norm_guard = -1.0),
        (Code::Range, Argument::MaxNorm, |c| c.max_norm = f64::NAN),
        (Code::Range, Argument::MaxNorm, |c| c.max_norm = -1.0),
        (Code::Range, Argument::MaxNorm, |c| (c.max_norm, c.flags) = (1.0, 1)),
    ];
    let good = m.held.config;
    for (code, argument, spoil) in cases {
        spoil(&mut m.held.config);
        m.refuses(what(code, argument), Model::init);
        m.held.config = good;
    }
    if size_of::<R>() == 4 {
        // Rounds to 0, to which no gradient can be clipped.
        m.held.config.max_norm = 1e-60;
        m.refuses(what(Code::Range, Argument::MaxNorm), Model::init);
        m.held.config = good;
    }
    let settings = [
        (Code::UnknownKey, c"gamma", 1.0),
        (Code::Range, c"eta", f64::NAN),
        (Code::Range, c"eta", -1.0),
    ];
    for (code, key, value) in settings {
        m.held.config.variant_settings[0] = Setting { key: c"eta".as_ptr(), value: 0.25 };
        m.held.config.variant_settings[1] = Setting { key: key.as_ptr(), value };
        m.refuses((code as u32, Argument::VariantSettings as u32, 1), Model::init);
        m.held.config = good;
        m.held.config.base_settings[0] = Setting { key: c"learning_rate".as_ptr(), value: -1.0 };
        m.refuses(what(Code::Range, Argument::BaseSettings), Model::init);
        m.held.config = good;
    }
    m.held.config.variant_name = c"momentum-sam".as_ptr();
    m.held.config.base_name = c"sgd".as_ptr();
    m.refuses(what(Code::NoMomentum, Argument::Base), Model::init);
    m.held.config = good;
    // SAFETY: each address is checked first.
    unsafe {
        let size = size_of::<R::State>();
        let state = (&raw mut m.state).wrapping_byte_add(4);
        m.refuses(what(Code::Misaligned, Argument::State), |m| {
            R::init(state, size, &m.held.config)
        });
        m.refuses(what(Code::Null, Argument::State), |m| R::init(null_mut(), size, &m.held.config));
        m.refuses(what(Code::Null, Argument::Config), |m| R::init(&mut m.state, size, null()));
        m.refuses(what(Code::StructSize, Argument::State), |m| {
            R::init(&mut m.state, size - 1, &m.held.config)
        });
        for rate in [f64::NAN, -1.0, f64::INFINITY] {
            m.refuses(what(Code::Range, Argument::LearningRate), |m| {
                R::learning_rate(&mut m.state, rate)
            });
        }
        for scale in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            m.refuses(what(Code::Range, Argument::LossScale), |m| {
                R::loss_scale(&mut m.state, scale)
            });
        }
    }
}

#[test]
fn configurations_out_of_range() {
    configurations::<f32>();
    configurations::<f64>();
}

#[test]
fn a_state_of_the_other_type_or_of_nothing() {
    let mut m = Model::<f32>::new();
    let mut state = f64::ZERO_STATE;
    let begun = what(Code::NotBegun, Argument::State);
    let mut other = Model::<f64>::new();
    // SAFETY: refused by its first word.
    unsafe {
        m.refuses(begun, |m| f32::ascend_all((&raw mut state).cast(), m.tensors.as_mut_ptr(), 2));
        let of_other = (&raw mut other.state).cast();
        m.refuses(begun, |m| f32::ascend_all(of_other, m.tensors.as_mut_ptr(), 2));
        let of_this = (&raw mut m.state).cast();
        other.refuses(begun, |m| f64::ascend_all(of_this, m.tensors.as_mut_ptr(), 2));
        let mut out = report();
        out.size = 3;
        m.refuses(what(Code::StructSize, Argument::Out), |m| f32::report(&m.state, &mut out));
        m.refuses(what(Code::Null, Argument::Out), |m| f32::report(&m.state, null_mut()));
    }
}

#[test]
fn every_status_has_its_words() {
    for code in Code::ALL {
        for argument in Argument::ALL {
            let status = Status(*code as u32 | (*argument as u32) << 8 | 12 << 16);
            let text = message(status);
            assert!(*code == Code::Ok || text.contains("expected"), "{text}");
            let listed = *argument as u32 >= Argument::Tensor as u32
                || [Argument::VariantSettings, Argument::BaseSettings].contains(argument);
            assert_eq!(text.contains(" (12): "), listed, "{text}");
        }
    }
    let status = Status(Code::Null as u32 | (Argument::Params as u32) << 8 | 2 << 16);
    assert_eq!(message(status), "tensor.params (2): expected an address, found null");
    assert_eq!(message(Status::OK), "no error");
    let mut room = [b'x'; 8];
    // SAFETY: its room is told.
    unsafe {
        assert_eq!(presam_status_write(Status::OK, room.as_mut_ptr().cast(), 4), 8);
        assert_eq!(presam_status_write(Status::OK, null_mut(), 99), 8);
    }
    assert_eq!(&room, b"no \0xxxx");
}

#[test]
fn planes_are_told() {
    let held = Held::new("info-asam", "adamw", &[], &[]);
    let size = size_of::<PlaneCount>() as u32;
    let version = PRESAM_VERSION;
    let mut out = PlaneCount { size, version, memory: 9, inputs: 9, state: 9, reserved: 0 };
    // SAFETY: both live.
    unsafe { ok(presam_count_planes(&held.config, &mut out)) };
    assert_eq!((out.memory, out.inputs, out.state), (2, 0, 2));
}
