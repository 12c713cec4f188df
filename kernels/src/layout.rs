//! What host and device share, byte for byte.

use presam::{BaseState, CHUNK, LengthRule, Part, RuleState};

/// One tensor: where its planes are. Addresses of planes that a kernel does not use may be 0.
///
/// The first 16 bytes are what every pass reads, in one access; length, group and flags reach a pass with
/// its chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(32))]
pub struct Segment {
    /// The gradient g; the momentum for momentum-SAM.
    pub grads: u64,
    /// The parameters w.
    pub params: u64,
    /// The rule's memory.
    pub memory: [u64; 2],
    /// The rule's inputs.
    pub inputs: [u64; 2],
    /// Out of place the perturbed parameters, in place the backup, in the mixed form what the model reads; 0 for a segment that is counted
    /// and not perturbed.
    pub out: u64,
    /// The gradient at the perturbed parameters.
    pub perturbed_grads: u64,
    /// The base optimizer's state.
    pub state: [u64; 2],
    /// Elements.
    pub len: u64,
    /// Its group.
    pub group: u32,
    /// [`ALIGNED`], and for the mixed kernels [`STILL`], [`COPIED`] and the [scalars](scalar) of three planes.
    pub flags: u32,
}

/// Flag of a segment: 16-byte access is allowed.
pub const ALIGNED: u32 = 1;
/// Flag of a segment whose `out` the ascent leaves alone.
pub const STILL: u32 = 1 << 7;
/// Flag of a segment whose `out` is what the model reads: a copy of w between steps.
pub const COPIED: u32 = 1 << 8;

/// The scalars of planes, two bits each of a segment's flags.
pub mod scalar {
    /// 32-bit floats.
    pub const F32: u32 = 0;
    /// bfloat16.
    pub const BF16: u32 = 1;
    /// IEEE 754 binary16.
    pub const F16: u32 = 2;
    /// The bit at which that of `grads` begins.
    pub const GRADS: u32 = 1;
    /// That of `perturbed_grads`.
    pub const PERTURBED_GRADS: u32 = 3;
    /// That of `out`.
    pub const OUT: u32 = 5;
}

/// One chunk of the norm contract: the unit of work of a warp, in one access.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(16))]
pub struct Chunk {
    /// Its segment, as an index into the table.
    pub segment: u32,
    /// Its number within the segment: element `index * CHUNK` is its first.
    pub index: u32,
    /// Its elements, and from bit 16 on the segment's flags but [`ALIGNED`]: none for the kernels of `f32`.
    pub len_and_flags: u32,
    /// The segment's group, and in the highest bit whether 16-byte access is allowed.
    pub group_and_alignment: u32,
}

impl Chunk {
    /// Chunk `index` of a segment that stands in row `segment` of its table.
    #[must_use]
    pub fn of(row: &Segment, segment: u32, index: u32) -> Self {
        let left = row.len.saturating_sub(u64::from(index) * CHUNK as u64);
        Self {
            segment,
            index,
            len_and_flags: left.min(CHUNK as u64) as u32 | (row.flags & !ALIGNED) << 16,
            group_and_alignment: row.group | (row.flags & ALIGNED) << 31,
        }
    }
}

/// A chunk's or subtree's sums in memory: on 16 bytes, so that one is one access.
pub const PART_BYTES: u64 = 16;

/// A group: its options, and the scale that `finish` leaves for its ascent.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(32))]
pub struct GroupScale {
    /// What the direction is multiplied by first.
    pub prescale: f32,
    /// What it is multiplied by then; 0 is a copy.
    pub scale: f32,
    /// 1 where memory is stored.
    pub remember: u32,
    /// The radius.
    pub rho: f32,
    /// 1 where ASAM's operator applies.
    pub operator: u32,
    /// Of no meaning: fills the sector.
    pub reserved: [u32; 3],
}

/// Bytes from one group's base optimizer to the next: learning rate and weight decay may differ.
pub const BASE_BYTES: u64 = 32;

/// Where its learning rate stands once more, wherever the optimizer has it.
pub const BASE_RATE: u64 = BASE_BYTES - 4;

/// A [`BaseState`] as the device holds it: without padding.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct BaseCounters {
    /// The running products of the decays.
    pub decay_powers: [f64; 2],
    /// Steps taken.
    pub steps: u32,
    /// Of no meaning.
    pub reserved: u32,
}

impl BaseCounters {
    /// Core's counters, padded.
    #[must_use]
    pub const fn of(state: BaseState) -> Self {
        let BaseState { decay_powers, steps } = state;
        Self { decay_powers, steps, reserved: 0 }
    }

    /// Core's counters again.
    #[must_use]
    pub const fn state(self) -> BaseState {
        let Self { decay_powers, steps, .. } = self;
        BaseState { decay_powers, steps }
    }
}

/// All that changes from step to step, on the device, so that a captured graph stays right.
///
/// The host writes what is marked *host*, whenever it likes; kernels write the rest.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(32))]
pub struct Control {
    /// The rule's counters; `finish` advances them.
    pub rule_state: RuleState<f32>,
    /// The counters that this step's rule is armed with: those before `finish`.
    pub rule_before: RuleState<f32>,
    /// The base optimizer's counters.
    pub base_state: BaseCounters,
    /// The counters that the descent is armed with.
    pub base_before: BaseCounters,
    /// *host*: 1 / loss scale of the first gradient; 1 for a slope that is not a gradient.
    pub unscale: f32,
    /// [`Outcome`](presam::Outcome) of the ascent: 0 finite, 1 zero norm, 2 not finite.
    pub outcome: u32,
    /// 1 where the base optimizer steps.
    pub descends: u32,
    /// What the descent multiplies its gradient by.
    pub grad_factor: f32,
    /// *host*: 1 / loss scale of the second gradient.
    pub unscale_second: f32,
    /// *host*: the norm that the second gradient is clipped to; infinity only checks it.
    pub max_norm: f32,
    /// *host*: 1 where the slope is the momentum: no ascent before the first descent.
    pub along_momentum: u32,
    /// *host*: 1 where nobody looks at the second gradient: `finish` arms the descent, and the descent counts itself.
    pub unchecked: u32,
    /// *host*: how long the perturbation is.
    pub length: LengthRule<f32>,
    /// Root and class of the norm.
    pub norm_root: f32,
    /// Class of the norm.
    pub norm_class: i32,
    /// Outcome of the second gradient, as `outcome`.
    pub second: u32,
    /// Sums over the segments that are not counted and whose first gradient is followed all the same.
    pub uncounted: Part<f32>,
    /// Sums that a mix of gradients is armed with, if it needs two.
    pub mix_sums: [Part<f32>; 2],
    /// The armed mix.
    pub mix: [f32; 2],
    /// Of no meaning: fills the sector.
    pub reserved: [u32; 4],
}

/// Numbers of outcomes in memory.
pub mod outcome {
    /// A finite norm.
    pub const FINITE: u32 = 0;
    /// A zero one.
    pub const ZERO_NORM: u32 = 1;
    /// One that is not finite.
    pub const NON_FINITE: u32 = 2;
}

impl Control {
    /// Before the first step.
    pub const fn new(length: LengthRule<f32>) -> Self {
        Self {
            rule_state: RuleState::new(),
            rule_before: RuleState::new(),
            base_state: BaseCounters::of(BaseState::new()),
            base_before: BaseCounters::of(BaseState::new()),
            unscale: 1.0,
            outcome: outcome::FINITE,
            descends: 0,
            grad_factor: 1.0,
            unscale_second: 1.0,
            max_norm: f32::INFINITY,
            along_momentum: 0,
            unchecked: 0,
            length,
            norm_root: 0.0,
            norm_class: 0,
            second: outcome::FINITE,
            uncounted: Part::ZERO,
            mix_sums: [Part::ZERO; 2],
            mix: [0.0; 2],
            reserved: [0; 4],
        }
    }
}

// No padding: the sums of the fields.
const _: () = assert!(size_of::<Control>() == 192 && size_of::<GroupScale>() == 32);
const _: () = assert!(size_of::<RuleState<f32>>() == 16 && size_of::<BaseCounters>() == 24);
const _: () = assert!(size_of::<Segment>() == 96 && size_of::<Chunk>() == 16);
