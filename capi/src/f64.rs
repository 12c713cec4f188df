//! The step in `double`: as `f32.rs`, word for word.

#![allow(unsafe_code, reason = "C hands over addresses")]

use crate::array;
use crate::calls::{self, said};
use crate::count::Room;
use crate::layout::{Config, NormF64, Report, StateF64, Tensor};
use crate::norm::{Norm, Pass};
use crate::state::State;
use crate::status::Status;

const _: () = assert!(size_of::<Room<State<f64>>>() <= size_of::<StateF64>());
const _: () = assert!(size_of::<Norm<f64>>() <= size_of::<NormF64>());
const _: () = assert!(align_of::<Room<State<f64>>>() <= align_of::<StateF64>());
const _: () = assert!(align_of::<Norm<f64>>() <= align_of::<NormF64>());

/// `presam_state_size_f32` in `double`.
#[unsafe(no_mangle)]
pub extern "C" fn presam_state_size_f64() -> usize {
    size_of::<StateF64>()
}

/// `presam_state_align_f32` in `double`.
#[unsafe(no_mangle)]
pub extern "C" fn presam_state_align_f64() -> usize {
    align_of::<StateF64>()
}

/// `presam_init_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_init_f64(
    state: *mut StateF64,
    state_size: usize,
    config: *const Config,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::init::<f64>(state.cast(), (state_size, presam_state_size_f64()), config) })
}

/// `presam_set_learning_rate_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_set_learning_rate_f64(
    state: *mut StateF64,
    learning_rate: f64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::set_learning_rate::<f64>(state.cast(), learning_rate) })
}

/// `presam_set_loss_scale_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_set_loss_scale_f64(
    state: *mut StateF64,
    loss_scale: f64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::set_loss_scale::<f64>(state.cast(), loss_scale) })
}

/// `presam_check_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_check_f64(
    state: *const StateF64,
    tensors: *const Tensor<f64>,
    count: usize,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { array::check_all::<f64>(state.cast(), tensors, count) })
}

/// `presam_ascend_all_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_ascend_all_f64(
    state: *mut StateF64,
    tensors: *mut Tensor<f64>,
    count: usize,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { array::ascend_all::<f64>(state.cast(), tensors, count) })
}

/// `presam_descend_all_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_descend_all_f64(
    state: *mut StateF64,
    tensors: *mut Tensor<f64>,
    count: usize,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { array::descend_all::<f64>(state.cast(), tensors, count) })
}

/// `presam_norm_begin_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_norm_begin_f64(
    state: *const StateF64,
    norm: *mut NormF64,
    first_chunk: u64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::begin::<f64>(state.cast(), norm.cast(), Pass::First, first_chunk) })
}

/// `presam_norm_add_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_norm_add_f64(
    state: *const StateF64,
    tensor: *const Tensor<f64>,
    norm: *mut NormF64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::add::<f64>(state.cast(), tensor, norm.cast(), Pass::First) })
}

/// `presam_norm_merge_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_norm_merge_f64(norm: *mut NormF64, next: *const NormF64) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::merge::<f64>(norm.cast(), next.cast()) })
}

/// `presam_norm_finish_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_norm_finish_f64(
    state: *mut StateF64,
    norm: *const NormF64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::finish::<f64>(state.cast(), norm.cast()) })
}

/// `presam_ascend_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_ascend_f64(
    state: *mut StateF64,
    tensor: *mut Tensor<f64>,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::ascend::<f64>(state.cast(), tensor) })
}

/// `presam_restore_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_restore_f64(
    state: *mut StateF64,
    tensor: *mut Tensor<f64>,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::restore::<f64>(state.cast(), tensor) })
}

/// `presam_second_begin_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_second_begin_f64(
    state: *const StateF64,
    norm: *mut NormF64,
    first_chunk: u64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::begin::<f64>(state.cast(), norm.cast(), Pass::Second, first_chunk) })
}

/// `presam_second_add_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_second_add_f64(
    state: *const StateF64,
    tensor: *const Tensor<f64>,
    norm: *mut NormF64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::add::<f64>(state.cast(), tensor, norm.cast(), Pass::Second) })
}

/// `presam_second_finish_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_second_finish_f64(
    state: *mut StateF64,
    norm: *const NormF64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::judge::<f64>(state.cast(), norm.cast()) })
}

/// `presam_descend_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_descend_f64(
    state: *const StateF64,
    tensor: *mut Tensor<f64>,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::descend::<f64>(state.cast(), tensor) })
}

/// `presam_skip_ascent_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_skip_ascent_f64(state: *mut StateF64) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::skip::<f64>(state.cast()) })
}

/// `presam_cancel_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_cancel_f64(state: *mut StateF64) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::cancel::<f64>(state.cast()) })
}

/// `presam_report_f32` in `double`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_report_f64(state: *const StateF64, out: *mut Report) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::report::<f64>(state.cast(), out) })
}

/// `presam_exp_f32` in `double`.
#[unsafe(no_mangle)]
pub extern "C" fn presam_exp_f64(x: f64) -> f64 {
    libm::exp(x)
}

/// `presam_log_f32` in `double`.
#[unsafe(no_mangle)]
pub extern "C" fn presam_log_f64(x: f64) -> f64 {
    libm::log(x)
}
