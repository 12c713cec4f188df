//! The step in `float`: C's functions, and what each asks of its caller.
//!
//! Beside what each says: an address is null (an error) or holds what its type says, planes hold `len` elements,
//! strings end with 0, and nobody else uses meanwhile what is written.

#![allow(unsafe_code, reason = "C hands over addresses")]

use crate::array;
use crate::calls::{self, said};
use crate::count::Room;
use crate::layout::{Config, NormF32, Report, StateF32, Tensor};
use crate::norm::{Norm, Pass};
use crate::state::State;
use crate::status::Status;

const _: () = assert!(size_of::<Room<State<f32>>>() <= size_of::<StateF32>());
const _: () = assert!(size_of::<Norm<f32>>() <= size_of::<NormF32>());
const _: () = assert!(align_of::<Room<State<f32>>>() <= align_of::<StateF32>());
const _: () = assert!(align_of::<Norm<f32>>() <= align_of::<NormF32>());

/// The bytes of a state: `sizeof(presam_state_f32)`, for memory that is handed out at run time.
#[unsafe(no_mangle)]
pub extern "C" fn presam_state_size_f32() -> usize {
    size_of::<StateF32>()
}

/// What a state's address must be a multiple of: 8.
#[unsafe(no_mangle)]
pub extern "C" fn presam_state_align_f32() -> usize {
    align_of::<StateF32>()
}

/// Begins: writes a state before its first step. Once, before all else; again, it forgets what was, and the
/// marks of the tensors must be zero again too.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_init_f32(
    state: *mut StateF32,
    state_size: usize,
    config: *const Config,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::init::<f32>(state.cast(), (state_size, presam_state_size_f32()), config) })
}

/// Sets the learning rate, in place of the configuration's: for a schedule, between steps.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_set_learning_rate_f32(
    state: *mut StateF32,
    learning_rate: f64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::set_learning_rate::<f32>(state.cast(), learning_rate) })
}

/// Sets the factor by which the trainer's loss, and so every gradient, is scaled; 1 at first. Between steps.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_set_loss_scale_f32(
    state: *mut StateF32,
    loss_scale: f64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::set_loss_scale::<f32>(state.cast(), loss_scale) })
}

/// Checks all tensors, and each against every other: no two share memory that is written, which the calls of
/// a step check of one tensor at a time. Once, when the arrays are laid out.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_check_f32(
    state: *const StateF32,
    tensors: *const Tensor<f32>,
    count: usize,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { array::check_all::<f32>(state.cast(), tensors, count) })
}

/// The first half of a step: norm, finish and ascent of all tensors, by the gradients at w. Then write the
/// gradients at the perturbed point, and call `presam_descend_all_f32`. An error has touched nothing; while a tensor
/// of the step before is perturbed, shown or not, it is one. A tensor that comes twice is refused: where the
/// parameters do not lie in the order of the tensors, each is compared with all before it.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_ascend_all_f32(
    state: *mut StateF32,
    tensors: *mut Tensor<f32>,
    count: usize,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { array::ascend_all::<f32>(state.cast(), tensors, count) })
}

/// The second half: restores all tensors, bit for bit, looks at the second gradient, and lets the base
/// optimizer step with it. After `presam_skip_ascent_f32` it is the base optimizer alone. An error has touched
/// nothing; a perturbed tensor that the array lacks, one that comes twice, or another number of tensors than
/// `presam_ascend_all_f32` took, is one.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_descend_all_f32(
    state: *mut StateF32,
    tensors: *mut Tensor<f32>,
    count: usize,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { array::descend_all::<f32>(state.cast(), tensors, count) })
}

/// Begins a norm of the first gradient at chunk `first_chunk`: 0, or where another thread's part ends. A tensor
/// has a chunk for each `PRESAM_CHUNK` elements that it begins; where it is cut, it is cut between chunks.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_norm_begin_f32(
    state: *const StateF32,
    norm: *mut NormF32,
    first_chunk: u64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::begin::<f32>(state.cast(), norm.cast(), Pass::First, first_chunk) })
}

/// Adds a tensor to the norm; every tensor of the step, in the same order at every step.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_norm_add_f32(
    state: *const StateF32,
    tensor: *const Tensor<f32>,
    norm: *mut NormF32,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::add::<f32>(state.cast(), tensor, norm.cast(), Pass::First) })
}

/// Adds the part `next` to `norm`, where that ends: the bits are those of one norm over both.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_norm_merge_f32(norm: *mut NormF32, next: *const NormF32) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::merge::<f32>(norm.cast(), next.cast()) })
}

/// Ends the norm of the first gradient: the tensors may ascend. Refused while a tensor of the step before is still
/// perturbed, whether it was added or not.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_norm_finish_f32(
    state: *mut StateF32,
    norm: *const NormF32,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::finish::<f32>(state.cast(), norm.cast()) })
}

/// Perturbs a tensor, keeps its parameters in its backup and renews its memory. Once a step. The state counts it, one
/// thread beside the other (a processor without atomic additions takes one such call at a time).
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_ascend_f32(
    state: *mut StateF32,
    tensor: *mut Tensor<f32>,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::ascend::<f32>(state.cast(), tensor) })
}

/// Brings a perturbed tensor back, bit for bit; any other stays as it is. At any time, with the state whose ascent it
/// went through, and threads as in that. A perturbed tensor that is never brought back (its memory freed, its mark
/// zeroed) is counted until the state is initialised anew: restore first.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_restore_f32(
    state: *mut StateF32,
    tensor: *mut Tensor<f32>,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::restore::<f32>(state.cast(), tensor) })
}

/// Begins a norm of the second gradient, as `presam_norm_begin_f32`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_second_begin_f32(
    state: *const StateF32,
    norm: *mut NormF32,
    first_chunk: u64,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::begin::<f32>(state.cast(), norm.cast(), Pass::Second, first_chunk) })
}

/// Adds a tensor's second gradient.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_second_add_f32(
    state: *const StateF32,
    tensor: *const Tensor<f32>,
    norm: *mut NormF32,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::add::<f32>(state.cast(), tensor, norm.cast(), Pass::Second) })
}

/// Ends the look at the second gradient: the tensors may descend. `norm` may be null with
/// `PRESAM_CONFIG_UNCHECKED`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_second_finish_f32(
    state: *mut StateF32,
    norm: *const NormF32,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::judge::<f32>(state.cast(), norm.cast()) })
}

/// The base optimizer's step on a restored tensor. Once a step.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_descend_f32(
    state: *const StateF32,
    tensor: *mut Tensor<f32>,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::descend::<f32>(state.cast(), tensor) })
}

/// In place of an ascent: this step is the base optimizer's alone, with one gradient. For SAM every k steps. Refused
/// while a tensor is still perturbed.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_skip_ascent_f32(state: *mut StateF32) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::skip::<f32>(state.cast()) })
}

/// Gives up a step that has ascended, where there is no second gradient to be had. Restore every tensor too. The
/// ascent stays counted, as the memory that it renewed stays. A call for all tensors that fails on the way gives its
/// step up by itself and does not count it.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_cancel_f32(state: *mut StateF32) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::cancel::<f32>(state.cast()) })
}

/// What became of the step: write `size` and `version` into `out`, the rest is filled in.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_report_f32(state: *const StateF32, out: *mut Report) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::report::<f32>(state.cast(), out) })
}

/// e to the power x, correct to the last bits and the same on every machine, as a platform's `expf` is not:
/// for a softmax that must have the same bits everywhere.
#[unsafe(no_mangle)]
pub extern "C" fn presam_exp_f32(x: f32) -> f32 {
    libm::expf(x)
}

/// The natural logarithm, likewise.
#[unsafe(no_mangle)]
pub extern "C" fn presam_log_f32(x: f32) -> f32 {
    libm::logf(x)
}
