//! [`DeviceSegment`]: one tensor of a trainer, as addresses of its own buffers.

use crate::device::Address;

/// The scalar of the first gradient; parameters and everything else are `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scalar {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16, widened exactly.
    Bf16,
    /// IEEE 754 binary16, widened exactly.
    F16,
}

impl Scalar {
    /// Bytes of an element.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::Bf16 | Self::F16 => 2,
        }
    }
}

/// One tensor: where its planes are, all of `len` elements. Nothing is copied: the trainer owns them.
///
/// A list of planes has as many addresses as the rule or the base optimizer has planes, and 0 after them;
/// [`DeviceStep::new`](crate::DeviceStep::new) counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceSegment {
    /// Elements; none is no work.
    pub len: u64,
    /// Its group.
    pub group: usize,
    /// w: read; written by the descent, and by an ascent in place.
    pub params: Address,
    /// g: read. For momentum-SAM the momentum, which is `state[0]`.
    pub grads: Address,
    /// g~: read by the descent. It may be `grads`, if the second gradient is written over the first.
    pub perturbed_grads: Address,
    /// Written by the ascent: out of place the perturbed parameters, in place the backup.
    pub out: Address,
    /// The rule's memory: read and written by the ascent. Zeros before the first step.
    pub memory: [Address; 2],
    /// The rule's inputs: read.
    pub inputs: [Address; 2],
    /// The base optimizer's state: read and written by the descent. Zeros before the first step.
    pub state: [Address; 2],
}
