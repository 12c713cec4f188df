//! Tensors that are shown in one call and not in the next: named errors, nothing touched, and no step before they are back.

#![allow(unsafe_code, clippy::unwrap_used, reason = "C's functions; a test fails by panicking")]

mod common;

use common::Api;
use common::trial::{Model, ok, what};
use presam_capi::*;

/// Every way into a step of the first tensor alone is refused before a write.
fn no_step_begins<R: Api>(m: &mut Model<R>) {
    let (still, state) = (Code::StillPerturbed, Argument::State);
    // SAFETY: all of it lives.
    unsafe {
        m.refuses(what(still, Argument::Tensors), |m| {
            R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 1)
        });
        m.refuses(what(still, state), |m| R::skip(&mut m.state));
        ok(R::norm_begin(&m.state, &mut m.norm, 0));
        ok(R::norm_add(&m.state, &m.tensors[0], &mut m.norm));
        m.refuses(what(still, state), |m| R::norm_finish(&mut m.state, &m.norm));
    }
}

fn first_alone<R: Api>(m: &mut Model<R>) {
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 1));
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 1));
    }
}

fn in_the_descent<R: Api>() {
    let (mut m, mut plain) = (Model::<R>::new(), Model::<R>::new());
    let tensors = Argument::Tensors;
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        for count in [0, 1] {
            m.refuses(what(Code::LengthChanged, tensors), |m| {
                R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), count)
            });
        }
        // Shown, or given up and restored.
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::ascend_all(&mut plain.state, plain.tensors.as_mut_ptr(), 2));
        ok(R::descend_all(&mut plain.state, plain.tensors.as_mut_ptr(), 2));
        assert!(m.bytes() == plain.bytes());
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::cancel(&mut m.state));
        ok(R::restore(&mut m.state, &mut m.tensors[0]));
        no_step_begins(&mut m);
        ok(R::restore(&mut m.state, &mut m.tensors[1]));
        // Once more is no other tensor's.
        ok(R::restore(&mut m.state, &mut m.tensors[1]));
    }
    first_alone(&mut m);
}

/// One that stays where it is would still miss its step.
fn unperturbed<R: Api>() {
    let mut m = Model::<R>::new();
    m.groups[1].flags |= PRESAM_GROUP_NOT_PERTURBED;
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        m.refuses(what(Code::LengthChanged, Argument::Tensors), |m| {
            R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 1)
        });
        ok(R::cancel(&mut m.state));
        ok(R::restore(&mut m.state, &mut m.tensors[0]));
    }
    first_alone(&mut m);
}

fn by_tensor<R: Api>() {
    let mut m = Model::<R>::new();
    // SAFETY: all of it lives.
    unsafe {
        for end_by_tensor in [false, true] {
            ok(R::norm_begin(&m.state, &mut m.norm, 0));
            m.tensors.iter().for_each(|tensor| ok(R::norm_add(&m.state, tensor, &mut m.norm)));
            ok(R::norm_finish(&mut m.state, &m.norm));
            m.tensors.iter_mut().for_each(|tensor| ok(R::ascend(&mut m.state, tensor)));
            m.refuses(what(Code::StillPerturbed, Argument::Tensors), |m| {
                R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 1)
            });
            ok(R::restore(&mut m.state, &mut m.tensors[0]));
            if end_by_tensor {
                ok(R::second_begin(&m.state, &mut m.norm, 0));
                ok(R::second_add(&m.state, &m.tensors[0], &mut m.norm));
                ok(R::second_finish(&mut m.state, &m.norm));
                ok(R::descend(&m.state, &mut m.tensors[0]));
                no_step_begins(&mut m);
                ok(R::restore(&mut m.state, &mut m.tensors[1]));
            } else {
                ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
            }
        }
    }
    first_alone(&mut m);
}

/// Two structs of one tensor in an array, the copy before or behind it, and another tensor between.
fn twice<R: Api>() {
    let mut m = Model::<R>::new();
    let [first, second] = [m.tensors[0], m.tensors[1]];
    let overlap = |index| (Code::Overlap as u32, Argument::Params as u32, index);
    for (list, index) in [
        (vec![first, first], 1),
        (vec![first, second, first], 2),
        (vec![second, first, second], 2),
        (vec![first, second, second], 2),
    ] {
        m.tensors = list;
        let count = m.tensors.len();
        // SAFETY: all of it lives.
        m.refuses(overlap(index), |m| unsafe {
            R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), count)
        });
    }
    // One in place of the other: as many as have ascended.
    m.tensors = vec![second, first];
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        let (copy, away) = (m.tensors[0], m.tensors[1]);
        m.tensors[1] = copy;
        m.refuses(overlap(1), |m| R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        m.tensors[1] = away;
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
    }
}

/// A state from before the ascent, or one that begins anew, knows of no perturbed tensor.
fn forgotten<R: Api>() {
    let mut m = Model::<R>::new();
    let before = m.state;
    for anew in [false, true] {
        // SAFETY: all of it lives.
        unsafe {
            ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
            if anew {
                // Whatever is in the backups is forgotten.
                ok(m.init());
            } else {
                m.state = before;
            }
            for tensor in &mut m.tensors {
                if !anew {
                    ok(R::restore(&mut m.state, tensor));
                }
                tensor.mark = Mark { stage: 0, step: 0, len: 0 };
            }
        }
        first_alone(&mut m);
    }
}

#[test]
fn a_tensor_that_is_hidden_from_the_descent() {
    in_the_descent::<f32>();
    in_the_descent::<f64>();
    unperturbed::<f32>();
    unperturbed::<f64>();
}

#[test]
fn a_tensor_that_is_hidden_from_the_calls_for_one() {
    by_tensor::<f32>();
    by_tensor::<f64>();
}

#[test]
fn a_tensor_that_comes_twice() {
    twice::<f32>();
    twice::<f64>();
}

#[test]
fn a_state_copied_back_or_begun_anew_has_nothing_to_wait_for() {
    forgotten::<f32>();
    forgotten::<f64>();
}
