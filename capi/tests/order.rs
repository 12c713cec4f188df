//! Calls out of order: each is refused, and no byte is touched.

#![allow(unsafe_code, clippy::unwrap_used, reason = "C's functions; a test fails by panicking")]

mod common;

use common::Api;
use common::trial::{Model, ok, what};
use presam_capi::*;

fn orders<R: Api>() {
    let mut m = Model::<R>::new();
    let (order, state, mark) = (Code::Order, Argument::State, Argument::Mark);
    let (out, at_norm) = (what(order, state), what(order, Argument::Norm));
    // SAFETY: all of it lives.
    unsafe {
        // Before the first step.
        m.refuses(out, |m| R::ascend(&m.state, &mut m.tensors[0]));
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
        ok(R::ascend(&m.state, &mut m.tensors[0]));
        m.refuses(what(Code::StillPerturbed, mark), |m| R::ascend(&m.state, &mut m.tensors[0]));
        m.refuses(out, |m| R::descend(&m.state, &mut m.tensors[0]));
        m.refuses(at_norm, |m| R::second_finish(&mut m.state, &stale));
        m.refuses((order as u32, mark as u32, 1), |m| {
            R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2)
        });
        ok(R::second_begin(&m.state, &mut m.norm, 0));
        m.refuses(what(order, mark), |m| R::second_add(&m.state, &m.tensors[1], &mut m.norm));
        ok(R::ascend(&m.state, &mut m.tensors[1]));
        m.tensors[1].len = 4;
        m.refuses(what(Code::LengthChanged, Argument::Len), |m| R::restore(&mut m.tensors[1]));
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
        ok(R::restore(&mut m.tensors[0]));
        ok(R::restore(&mut m.tensors[0]));
        ok(R::descend(&m.state, &mut m.tensors[0]));
        m.refuses(what(order, mark), |m| R::descend(&m.state, &mut m.tensors[0]));
        // A step without an ascent, and one that is given up.
        ok(R::restore(&mut m.tensors[1]));
        ok(R::skip(&mut m.state));
        m.refuses(out, |m| R::ascend(&m.state, &mut m.tensors[0]));
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::cancel(&mut m.state));
        m.refuses(out, |m| R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        m.tensors.iter_mut().for_each(|tensor| ok(R::restore(tensor)));
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
    }
}

/// Every bit of the planes after one step of the whole model.
fn whole_step<R: Api>(m: &mut Model<R>) -> Vec<Vec<Vec<u64>>> {
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
    }
    m.bytes().0
}

/// info-asam and AdamW know their first step by the counters.
fn counters<R: Api>() {
    let expected = whole_step(&mut Model::<R>::new());
    let mut m = Model::<R>::new();
    // SAFETY: all of it lives.
    unsafe {
        // Before a tensor ascends.
        ok(R::norm_begin(&m.state, &mut m.norm, 0));
        m.tensors.iter().for_each(|tensor| ok(R::norm_add(&m.state, tensor, &mut m.norm)));
        ok(R::norm_finish(&mut m.state, &m.norm));
        ok(R::cancel(&mut m.state));
        // Before a tensor descends.
        ok(R::skip(&mut m.state));
        ok(R::second_begin(&m.state, &mut m.norm, 0));
        m.tensors.iter().for_each(|tensor| ok(R::second_add(&m.state, tensor, &mut m.norm)));
        ok(R::second_finish(&mut m.state, &m.norm));
        ok(R::cancel(&mut m.state));
        // A tensor that has stepped already is seen before the first of the others steps.
        ok(R::skip(&mut m.state));
        m.tensors[1].mark.step = 3;
        m.refuses((Code::Order as u32, Argument::Mark as u32, 1), |m| {
            R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2)
        });
        ok(R::cancel(&mut m.state));
    }
    assert!(whole_step(&mut m) == expected, "a step that was given up was counted");
}

#[test]
fn what_is_given_up_is_not_counted() {
    counters::<f32>();
    counters::<f64>();
}

#[test]
fn calls_out_of_order() {
    orders::<f32>();
    orders::<f64>();
}
