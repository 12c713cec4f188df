//! [`DeviceSegment`]: one tensor of a trainer, as addresses of its own buffers.

use crate::device::Address;

/// How the numbers of a plane lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scalar {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16: widened exactly, rounded to the nearest (of two to the even one).
    Bf16,
    /// IEEE 754 binary16, likewise; 65,520 and above round to infinity.
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

/// The scalars of a tensor's planes on the model's side; w, memory, inputs and state are `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scalars {
    /// Of g; for momentum-SAM `F32`.
    pub grads: Scalar,
    /// Of g~.
    pub perturbed_grads: Scalar,
    /// Of [`out`](DeviceSegment::out): `F32` unless in [`Form::Mixed`](crate::Form::Mixed).
    pub out: Scalar,
}

impl Scalars {
    /// A model whose parameters and gradients are all of one scalar.
    #[must_use]
    pub const fn all(scalar: Scalar) -> Self {
        Self { grads: scalar, perturbed_grads: scalar, out: scalar }
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
    /// How g, g~ and `out` lie in memory.
    pub scalars: Scalars,
    /// w: read; written by the descent, and by an ascent in place.
    pub params: Address,
    /// g: read. For momentum-SAM the momentum, which is `state[0]`.
    pub grads: Address,
    /// g~: read by the descent. It may be `grads`, if the second gradient is written over the first.
    pub perturbed_grads: Address,
    /// Written by the ascent: out of place the perturbed parameters, in place the backup. In the mixed form what
    /// the model reads, written by the descent too.
    pub out: Address,
    /// The rule's memory: read and written by the ascent. Zeros before the first step.
    pub memory: [Address; 2],
    /// The rule's inputs: read.
    pub inputs: [Address; 2],
    /// The base optimizer's state: read and written by the descent. Zeros before the first step.
    pub state: [Address; 2],
}
