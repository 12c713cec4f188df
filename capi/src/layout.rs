//! The structs that a caller fills in, as C lays them out. Every bit pattern of each is a value.

use core::ffi::c_char;

/// The version of the structs: what their `version` must be.
pub const PRESAM_VERSION: u32 = 1;
/// Settings in a list.
pub const PRESAM_MAX_SETTINGS: usize = 8;
/// Planes in a list.
pub const PRESAM_MAX_PLANES: usize = 4;
/// Elements in a chunk: where a norm may be cut, see `presam_norm_begin_f32`.
pub const PRESAM_CHUNK: usize = 2048;
/// 8-byte words of a `presam_state_f32`.
pub const PRESAM_STATE_F32_WORDS: usize = 32;
/// 8-byte words of a `presam_state_f64`.
pub const PRESAM_STATE_F64_WORDS: usize = 48;
/// 8-byte words of a `presam_norm_f32`.
pub const PRESAM_NORM_F32_WORDS: usize = 80;
/// 8-byte words of a `presam_norm_f64`.
pub const PRESAM_NORM_F64_WORDS: usize = 152;

/// `presam_config.flags`: the second gradient is taken as it is, without a pass that looks for infinity and
/// NaN: an infinite or NaN entry enters parameters and state.
pub const PRESAM_CONFIG_UNCHECKED: u32 = 1;

/// `presam_group.flags`: left out of the norm.
pub const PRESAM_GROUP_NOT_COUNTED: u32 = 1;
/// `presam_group.flags`: not perturbed.
pub const PRESAM_GROUP_NOT_PERTURBED: u32 = 2;
/// `presam_group.flags`: ASAM's operator does not apply (biases, norm layers).
pub const PRESAM_GROUP_NO_OPERATOR: u32 = 4;
/// `presam_group.flags`: its `weight_decay` stands in place of the base optimizer's.
pub const PRESAM_GROUP_OWN_WEIGHT_DECAY: u32 = 8;

/// A setting of a rule, by the name that the rule's page has (`presam methods NAME`).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name; null ends a list.
    pub key: *const c_char,
    /// Its value.
    pub value: f64,
}

/// Which step: all that `presam_init` reads. Whatever is left zero is at its default.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// `sizeof(presam_config)`
    pub size: u32,
    /// `PRESAM_VERSION`
    pub version: u32,
    /// The variant of SAM, by its tag.
    pub variant: u32,
    /// The base optimizer, by its tag.
    pub base: u32,
    /// The variant by its name, in place of the tag where it is not null.
    pub variant_name: *const c_char,
    /// The base optimizer by its name, likewise.
    pub base_name: *const c_char,
    /// Settings of the variant, in their order.
    pub variant_settings: [Setting; PRESAM_MAX_SETTINGS],
    /// Settings of the base optimizer, in their order.
    pub base_settings: [Setting; PRESAM_MAX_SETTINGS],
    /// `PRESAM_CONFIG_UNCHECKED` or 0
    pub flags: u32,
    /// 0
    pub reserved: u32,
    /// 0: the perturbation has length rho (SAM). 1: it is rho times the direction (USAM). Between: mixed.
    pub unnormalised: f64,
    /// Added to the norm before rho is divided by it.
    pub norm_guard: f64,
    /// The second gradient is brought down to this global norm; 0: it is not.
    pub max_norm: f64,
}

/// What tensors of one kind have in common. May change between steps: a schedule's rho.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// `sizeof(presam_group)`
    pub size: u32,
    /// `PRESAM_VERSION`
    pub version: u32,
    /// `PRESAM_GROUP_...`, joined by `|`
    pub flags: u32,
    /// 0
    pub reserved: u32,
    /// The radius, 0 or more; 0 is the base optimizer alone.
    pub rho: f64,
    /// Read with `PRESAM_GROUP_OWN_WEIGHT_DECAY` alone.
    pub weight_decay: f64,
}

/// Where a tensor stands in the step: zero before the first one, from then on the library's own.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// 0 at rest, 1 perturbed, 2 ascended and back.
    pub stage: u32,
    /// The step that wrote it.
    pub step: u32,
    /// The elements that were perturbed.
    pub len: usize,
}

/// One tensor: where its planes lie, each of `len` elements. A flat array with offsets is a list of these.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Tensor<R> {
    /// `sizeof(presam_tensor_f32)`
    pub size: u32,
    /// `PRESAM_VERSION`
    pub version: u32,
    /// Its elements.
    pub len: usize,
    /// w, read and written.
    pub params: *mut R,
    /// The gradient of the moment, read: of the first pass in the norm and the ascent, of the second in the
    /// descent. One buffer may serve both.
    pub grads: *const R,
    /// Keeps w while it is perturbed; may be null where the group is not perturbed (and the variant has no
    /// memory, or the group does not count). Needed until w is back, whatever the group says by then.
    pub backup: *mut R,
    /// The variant's memory, zero before the first step.
    pub memory: [*mut R; PRESAM_MAX_PLANES],
    /// The variant's inputs, read: a mask, a preconditioner.
    pub inputs: [*const R; PRESAM_MAX_PLANES],
    /// The base optimizer's state, zero before the first step.
    pub state: [*mut R; PRESAM_MAX_PLANES],
    /// Its group, which many tensors may share.
    pub group: *const Group,
    /// Zero before the first step, and zero again where a state is copied back: a call for one tensor, or a step
    /// without an ascent, may take a mark of a later step for one of its own.
    pub mark: Mark,
}

/// How many planes a configuration takes, each as long as its tensor.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaneCount {
    /// `sizeof(presam_plane_count)`
    pub size: u32,
    /// `PRESAM_VERSION`
    pub version: u32,
    /// Of the variant's memory.
    pub memory: u32,
    /// Of the variant's inputs.
    pub inputs: u32,
    /// Of the base optimizer's state.
    pub state: u32,
    /// 0
    pub reserved: u32,
}

/// What became of a step.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// `sizeof(presam_report)`
    pub size: u32,
    /// `PRESAM_VERSION`
    pub version: u32,
    /// Of the ascent: a `presam_outcome`.
    pub outcome: u32,
    /// Of the second gradient: a `presam_outcome`; finite where it was not checked.
    pub second: u32,
    /// 1 where the base optimizer takes its step, else 0.
    pub descends: u32,
    /// Steps of the base optimizer so far.
    pub steps: u32,
    /// The norm that rho is divided by.
    pub norm: f64,
    /// What the second gradient is multiplied by: 1 over the loss scale, and the clipping.
    pub grad_factor: f64,
}

/// What the numbers did. Never an error: a trainer goes on, and need not look.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Parameters are perturbed.
    Finite = 0,
    /// The norm is zero: nothing is perturbed, the step is the base optimizer's.
    ZeroNorm = 1,
    /// The norm is infinite or NaN: ascent and descent of this step change nothing.
    NonFinite = 2,
}

/// The state of a step in `float`, in the caller's memory: hold one, look not into it. No pointer is in it:
/// between steps a copy of its bytes is a checkpoint for the same library.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StateF32 {
    /// The library's own.
    pub words: [u64; PRESAM_STATE_F32_WORDS],
}

/// The state of a step in `double`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StateF64 {
    /// The library's own.
    pub words: [u64; PRESAM_STATE_F64_WORDS],
}

/// A norm that is being summed, in `float`: an accumulator of the caller's, one a thread.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NormF32 {
    /// The library's own.
    pub words: [u64; PRESAM_NORM_F32_WORDS],
}

/// A norm that is being summed, in `double`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct NormF64 {
    /// The library's own.
    pub words: [u64; PRESAM_NORM_F64_WORDS],
}
