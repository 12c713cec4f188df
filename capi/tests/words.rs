//! What C asks of no tensor: names, texts, sizes, and the functions of a softmax.

#![allow(unsafe_code, clippy::unwrap_used, reason = "C's functions; a test fails by panicking")]

mod common;

use common::trial::{Model, message, ok, told, what};
use common::{Api, report};
use presam::{AnyBase, AnyVariant, Outcome, base, variants};
use presam_capi::*;
use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

/// A text of the library's; `None` for null.
fn text(at: *const c_char) -> Option<&'static str> {
    // SAFETY: null, or a text that lasts.
    (!at.is_null()).then(|| unsafe { CStr::from_ptr(at) }.to_str().unwrap())
}

#[test]
fn every_tag_has_its_name_and_no_other_number_one() {
    let count = |name: extern "C" fn(u32) -> *const c_char| {
        let names = (1..).map_while(|tag| text(name(tag))).collect::<Vec<_>>();
        assert_eq!((text(name(0)), text(name(u32::MAX))), (None, None));
        names
    };
    let (named, bases) = (count(presam_variant_name), count(presam_base_name));
    assert_eq!((named.len(), bases.len()), (variants::ALL.len(), base::ALL.len()));
    assert_eq!(named[Variant::InfoAsam as usize - 1], "info-asam");
    assert_eq!(bases[Base::Adamw as usize - 1], "adamw");
    named.iter().for_each(|name| assert!(AnyVariant::<f32>::by_name(name).is_ok(), "{name}"));
    bases.iter().for_each(|name| assert!(AnyBase::<f32>::by_name(name).is_ok(), "{name}"));
}

#[test]
fn a_status_is_told_in_words() {
    // SAFETY: null is refused.
    let status = unsafe { presam_count_planes(null(), null_mut()) };
    assert_eq!(told(status), what(Code::Null, Argument::Config));
    let words = text(presam_status_text(status)).unwrap();
    assert_eq!(words, "expected an address, found null");
    assert_eq!(text(presam_status_argument(status)), Some("config"));
    assert_eq!(message(status), format!("config: {words}"));
}

#[test]
fn sizes_and_version_are_the_headers() {
    assert_eq!(presam_version(), PRESAM_VERSION);
    assert_eq!([presam_state_align_f32(), presam_state_align_f64()], [8; 2]);
    assert_eq!(presam_state_size_f32(), size_of::<<f32 as Api>::State>());
    assert_eq!(presam_state_size_f64(), size_of::<<f64 as Api>::State>());
}

#[test]
fn a_softmax_has_the_bits_of_libm() {
    for x in [-7.5, -0.0, 0.3, 1.0, 80.0] {
        assert_eq!(presam_exp_f64(x).to_bits(), libm::exp(x).to_bits());
        assert_eq!(presam_exp_f32(x as f32).to_bits(), libm::expf(x as f32).to_bits());
        let positive = x.abs() + 0.5;
        assert_eq!(presam_log_f64(positive).to_bits(), libm::log(positive).to_bits());
        assert_eq!(
            presam_log_f32(positive as f32).to_bits(),
            libm::logf(positive as f32).to_bits()
        );
    }
}

/// Gradients of norm 5, scaled, brought down to half of it.
fn reported<R: Api>(scale: f64) {
    let mut m = Model::<R>::new();
    m.held.config.variant_name = c"sam".as_ptr();
    m.held.config.max_norm = 2.5 * scale;
    ok(m.init());
    let mut grads = [3.0, 4.0].map(|value| R::from_f64(value * scale)).into_iter();
    for tensor in &mut m.planes {
        tensor.grads.fill(R::ZERO);
        tensor.grads[0] = grads.next().unwrap();
    }
    let mut told = report();
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::report(&m.state, &mut told));
        assert!((told.norm / (5.0 * scale) - 1.0).abs() < 1e-6, "{}", told.norm);
        assert_eq!((told.outcome, told.steps, told.descends), (Outcome::Finite as u32, 0, 0));
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::report(&m.state, &mut told));
    }
    assert!((told.grad_factor - 0.5).abs() < 1e-6, "{}", told.grad_factor);
    assert_eq!((told.second, told.steps, told.descends), (Outcome::Finite as u32, 1, 1));
    // What became of a second gradient is that step's alone.
    // SAFETY: all of it lives.
    unsafe {
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        m.planes[0].grads[0] = R::INFINITY;
        ok(R::descend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::report(&m.state, &mut told));
        assert_eq!((told.second, told.steps), (Outcome::NonFinite as u32, 1));
        m.planes[0].grads[0] = R::ONE;
        ok(R::ascend_all(&mut m.state, m.tensors.as_mut_ptr(), 2));
        ok(R::report(&m.state, &mut told));
    }
    assert_eq!((told.second, told.steps), (Outcome::Finite as u32, 1));
}

#[test]
fn a_report_has_norm_and_factor_of_any_range() {
    reported::<f32>(1.0);
    reported::<f32>(1e25);
    reported::<f64>(1e200);
}

/// A norm that begins where no chunk can follow, an array that shares memory with the state.
fn no_room_and_no_memory<R: Api>() {
    let mut m = Model::<R>::new();
    // SAFETY: all of it lives; what is refused is not touched.
    unsafe {
        ok(R::norm_begin(&m.state, &mut m.norm, u64::MAX));
        m.refuses(what(Code::TooManyChunks, Argument::Norm), |m| {
            R::norm_add(&m.state, &m.tensors[0], &mut m.norm)
        });
        let inside: *mut Tensor<R> = (&raw mut m.state).cast();
        let overlap = what(Code::Overlap, Argument::Tensors);
        m.refuses(overlap, |m| R::ascend_all(&mut m.state, inside, 1));
        // No tensor, no memory: whatever the address.
        ok(R::check(&m.state, inside, 0));
        // An empty tensor lies nowhere, though its address is within another.
        let whole = m.tensors.clone();
        for [empty, other] in [[0, 1], [1, 0]] {
            m.tensors = whole.clone();
            m.tensors[empty].len = 0;
            m.tensors[empty].params = m.tensors[other].params.wrapping_add(3);
            ok(R::check(&m.state, m.tensors.as_ptr(), 2));
        }
    }
}

#[test]
fn a_norm_without_room_and_an_array_in_the_state_are_refused() {
    no_room_and_no_memory::<f32>();
    no_room_and_no_memory::<f64>();
}
