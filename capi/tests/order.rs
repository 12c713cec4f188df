//! Calls out of order: each is refused, and no byte is touched.

#![allow(unsafe_code, clippy::unwrap_used, reason = "C's functions; a test fails by panicking")]

mod common;

use common::trial::{Model, ok, what};
use common::{Api, Planes, report};
use presam_capi::*;

fn orders<R: Api>() {
    let mut m = Model::<R>::new();
    let (order, state, mark) = (Code::Order, Argument::State, Argument::Mark);
    let (out, at_norm) = (what(order, state), what(order, Argument::Norm));
    // SAFETY: all of it lives.
    unsafe {
        // Before the first step.
        m.refuses(out, |m| R::ascend(&mut m.state, &mut m.tensors[0]));
        m.refuses(out, |m| R::descend(&m.state, &mut m.tensors[0]));
        m.refuses(out, |m| R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        m.refuses(out, |m| R::second_begin(&m.state, &mut m.norm, 0));
        m.refuses(out, |m| R::second_finish(&mut m.state, &m.norm));
        m.refuses(what(Code::NotBegun, Argument::Norm), |m| R::norm_finish(&mut m.state, &m.norm));
        m.refuses(what(Code::NotBegun, Argument::Norm), |m| {
            R::norm_add(&m.state, &m.tensors[0], &mut m.norm)
        });
        // The norm.
        ok(R::norm_begin(&m.state, &mut m.norm, 1));
        m.refuses(what(Code::NotFromZero, Argument::Norm), |m| {
            R::norm_finish(&mut m.state, &m.norm)
        });
        ok(R::norm_begin(&m.state, &mut m.norm, 0));
        ok(R::norm_add(&m.state, &m.tensors[0], &mut m.norm));
        let mut part = R::ZERO_NORM;
        m.refuses(what(Code::NotBegun, Argument::Next), |m| R::norm_merge(&mut m.norm, &part));
        ok(R::norm_begin(&m.state, &mut part, 5));
        m.refuses(what(Code::NotAdjacent, Argument::Next), |m| R::norm_merge(&mut m.norm, &part));
        let twice = &raw mut m.norm;
        m.refuses(what(Code::Overlap, Argument::Next), |_| R::norm_merge(twice, twice));
        ok(R::norm_add(&m.state, &m.tensors[1], &mut m.norm));
        let stale = m.norm;
        ok(R::norm_finish(&mut m.state, &m.norm));
        m.refuses(out, |m| R::norm_finish(&mut m.state, &m.norm));
        m.refuses(out, |m| R::norm_begin(&m.state, &mut m.norm, 0));
        m.refuses(out, |m| R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        m.refuses(out, |m| R::skip(&mut m.state));
        m.refuses(out, |m| R::learning_rate(&mut m.state, 0.1));
        m.refuses(out, |m| R::loss_scale(&mut m.state, 2.0));
        // The ascent.
        ok(R::ascend(&mut m.state, &mut m.tensors[0]));
        m.refuses(what(Code::StillPerturbed, mark), |m| R::ascend(&mut m.state, &mut m.tensors[0]));
        m.refuses(out, |m| R::descend(&m.state, &mut m.tensors[0]));
        m.refuses(at_norm, |m| R::second_finish(&mut m.state, &stale));
        m.refuses((order as u32, mark as u32, 1), |m| {
            R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2)
        });
        ok(R::second_begin(&m.state, &mut m.norm, 0));
        m.refuses(what(order, mark), |m| R::second_add(&m.state, &m.tensors[1], &mut m.norm));
        ok(R::ascend(&mut m.state, &mut m.tensors[1]));
        m.tensors[1].len = 4;
        m.refuses(what(Code::LengthChanged, Argument::Len), |m| {
            R::restore(&mut m.state, &mut m.tensors[1])
        });
        m.refuses((Code::LengthChanged as u32, Argument::Len as u32, 1), |m| {
            R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2)
        });
        m.tensors[1].len = 5;
        // The descent.
        ok(R::second_add(&m.state, &m.tensors[0], &mut m.norm));
        ok(R::second_finish(&mut m.state, &m.norm));
        m.refuses(what(Code::StillPerturbed, mark), |m| R::descend(&m.state, &mut m.tensors[0]));
        m.refuses((Code::StillPerturbed as u32, mark as u32, 0), |m| {
            R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2)
        });
        ok(R::restore(&mut m.state, &mut m.tensors[0]));
        ok(R::restore(&mut m.state, &mut m.tensors[0]));
        ok(R::descend(&m.state, &mut m.tensors[0]));
        m.refuses(what(order, mark), |m| R::descend(&m.state, &mut m.tensors[0]));
        // A step without an ascent, and one that is given up.
        ok(R::restore(&mut m.state, &mut m.tensors[1]));
        ok(R::skip(&mut m.state));
        m.refuses(out, |m| R::ascend(&mut m.state, &mut m.tensors[0]));
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::cancel(&mut m.state));
        m.refuses(out, |m| R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        m.tensors.iter_mut().for_each(|tensor| ok(R::restore(&mut m.state, tensor)));
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
    }
}

/// A norm that was begun in the step before is not this one's.
fn stale<R: Api>() {
    let mut m = Model::<R>::new();
    let order = what(Code::Order, Argument::Norm);
    // SAFETY: all of it lives.
    unsafe {
        ok(R::norm_begin(&m.state, &mut m.norm, 0));
        whole_step(&mut m);
        m.refuses(order, |m| R::norm_add(&m.state, &m.tensors[0], &mut m.norm));
        m.refuses(order, |m| R::norm_finish(&mut m.state, &m.norm));
    }
}

/// A norm begun by the functions of the other type is none of these's.
#[test]
fn a_norm_of_the_other_type_is_refused() {
    let (mut single, mut double) = (Model::<f32>::new(), Model::<f64>::new());
    // SAFETY: all of it lives; a norm of `f64` has room for one of `f32`.
    unsafe {
        ok(f32::norm_begin(&single.state, (&raw mut double.norm).cast(), 0));
        double.refuses(what(Code::NotBegun, Argument::Norm), |m| {
            f64::norm_add(&m.state, &m.tensors[0], &mut m.norm)
        });
        ok(f64::norm_begin(&double.state, &mut double.norm, 0));
        let begun: *mut <f32 as Api>::Norm = (&raw mut double.norm).cast();
        single.refuses(what(Code::NotBegun, Argument::Norm), |m| {
            f32::norm_add(&m.state, &m.tensors[0], begun)
        });
    }
}

/// A tensor that ascended in a step which was given up has not ascended in this one.
fn ascended_before<R: Api>() {
    let mut m = Model::<R>::new();
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::cancel(&mut m.state));
        m.tensors.iter_mut().for_each(|tensor| ok(R::restore(&mut m.state, tensor)));
        ok(R::norm_begin(&m.state, &mut m.norm, 0));
        m.tensors.iter().for_each(|tensor| ok(R::norm_add(&m.state, tensor, &mut m.norm)));
        ok(R::norm_finish(&mut m.state, &m.norm));
        ok(R::ascend(&mut m.state, &mut m.tensors[0]));
        ok(R::second_begin(&m.state, &mut m.norm, 0));
        ok(R::second_add(&m.state, &m.tensors[0], &mut m.norm));
        m.refuses(what(Code::Order, Argument::Mark), |m| {
            R::second_add(&m.state, &m.tensors[1], &mut m.norm)
        });
    }
}

#[test]
fn what_ascended_in_a_step_that_was_given_up_is_not_descended() {
    ascended_before::<f32>();
    ascended_before::<f64>();
}

/// Before the base optimizer's first step its plane holds whatever it holds.
fn no_momentum_yet<R: Api>() {
    let mut m = Model::<R>::new();
    m.held.config.variant_name = c"momentum-sam".as_ptr();
    ok(m.init());
    let before = m.planes[0].params.clone();
    m.planes.iter_mut().for_each(|tensor| tensor.state[0].fill(R::from_f64(f64::NAN)));
    let mut told = report();
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::report(&m.state, &mut told));
    }
    assert_eq!(told.outcome, presam::Outcome::ZeroNorm as u32);
    assert!(m.planes[0].params == before);
}

#[test]
fn momentum_sam_stays_before_there_is_a_momentum() {
    no_momentum_yet::<f32>();
    no_momentum_yet::<f64>();
}

#[test]
fn a_norm_of_the_step_before_is_refused() {
    stale::<f32>();
    stale::<f64>();
}

/// Every bit of the planes after one step of the whole model, along gradients that no step had before: along the
/// same ones averages do not move, whatever the counters.
fn whole_step<R: Api>(m: &mut Model<R>) -> Vec<Vec<Vec<u64>>> {
    m.planes.iter_mut().for_each(|tensor| tensor.grads.rotate_left(1));
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
    }
    m.bytes().0
}

/// info-asam and AdamW know their first steps by the counters.
fn counters<R: Api>() {
    // What was measured and has ascended is counted, as a step is whose second gradient is no number.
    let (mut given_up, mut lost) = (Model::<R>::new(), Model::<R>::new());
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut given_up.state, given_up.tensors.as_mut_ptr(), 2));
        ok(R::cancel(&mut given_up.state));
        given_up.tensors.iter_mut().for_each(|tensor| ok(R::restore(&mut given_up.state, tensor)));
        ok(R::ascend_all(&mut lost.state, lost.tensors.as_mut_ptr(), 2));
        let kept = std::mem::replace(&mut lost.planes[0].grads[0], R::INFINITY);
        ok(R::descend_all(&mut lost.state, lost.tensors.as_mut_ptr(), 2));
        lost.planes[0].grads[0] = kept;
    }
    assert!(whole_step(&mut given_up) == whole_step(&mut lost), "an ascent was not counted");

    // A step that is over stays counted.
    let (mut cancelled, mut plain) = (Model::<R>::new(), Model::<R>::new());
    whole_step(&mut plain);
    whole_step(&mut cancelled);
    // SAFETY: it lives.
    unsafe { ok(R::cancel(&mut cancelled.state)) };
    assert!(whole_step(&mut cancelled) == whole_step(&mut plain), "a step was taken back");

    // A tensor that has stepped already is seen before the first of the others steps.
    let mut refused = Model::<R>::new();
    // SAFETY: all of it lives.
    unsafe {
        ok(R::skip(&mut refused.state));
        refused.tensors[1].mark.step = 1;
        refused.refuses((Code::Order as u32, Argument::Mark as u32, 1), |m| {
            R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2)
        });
        ok(R::cancel(&mut refused.state));
    }
    let expected = whole_step(&mut Model::<R>::new());
    assert!(whole_step(&mut refused) == expected, "a refused step was counted");
}

/// State, parameters and gradients, memory and state planes as they were; the marks stay as they are.
fn roll_back<R: Api>(m: &mut Model<R>, state: R::State, planes: &[Planes<R>]) {
    m.state = state;
    for (to, from) in m.planes.iter_mut().zip(planes) {
        to.params.copy_from_slice(&from.params);
        to.grads.copy_from_slice(&from.grads);
        let kept = from.memory.iter().chain(&from.state);
        for (to, from) in to.memory.iter_mut().chain(&mut to.state).zip(kept) {
            to.copy_from_slice(from);
        }
    }
}

fn rolls_back<R: Api>() {
    let mut m = Model::<R>::new();
    whole_step(&mut m);
    let (state, planes) = (m.state, m.planes.clone());
    let expected = whole_step(&mut m);
    roll_back(&mut m, state, &planes);
    assert!(whole_step(&mut m) == expected, "a step was over");
    roll_back(&mut m, state, &planes);
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::cancel(&mut m.state));
        m.tensors.iter_mut().for_each(|tensor| ok(R::restore(&mut m.state, tensor)));
    }
    roll_back(&mut m, state, &planes);
    assert!(whole_step(&mut m) == expected, "a step was given up");
}

#[test]
fn a_state_that_is_copied_back_goes_on_with_the_marks_of_a_later_step() {
    rolls_back::<f32>();
    rolls_back::<f64>();
}

/// A tensor's group is none of perturbed tensors any more when the tensor is to come back.
fn group_changes<R: Api>() {
    let (mut m, mut plain) = (Model::<R>::new(), Model::<R>::new());
    // SAFETY: all of it lives, and what is null is refused.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        m.groups[1].flags |= PRESAM_GROUP_NOT_PERTURBED | PRESAM_GROUP_NOT_COUNTED;
        let backup = std::mem::replace(&mut m.tensors[1].backup, std::ptr::null_mut());
        m.refuses((Code::Null as u32, Argument::Backup as u32, 1), |m| {
            R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2)
        });
        m.tensors[1].backup = backup;
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::ascend_all(&mut plain.state, plain.tensors.as_mut_ptr(), 2));
        ok(R::descend_all(&mut plain.state, plain.tensors.as_mut_ptr(), 2));
    }
    assert!(m.bytes() == plain.bytes(), "a group that changed between the halves");
}

#[test]
fn a_group_that_changes_between_the_halves() {
    group_changes::<f32>();
    group_changes::<f64>();
}

#[test]
fn what_has_happened_is_counted_and_nothing_else() {
    counters::<f32>();
    counters::<f64>();
}

#[test]
fn calls_out_of_order() {
    orders::<f32>();
    orders::<f64>();
}
