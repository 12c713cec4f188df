//! The step of sharpness-aware minimisation (SAM) over a trainer's own buffers on an NVIDIA GPU, or on its emulator.
//!
//! [`Device`] is where kernels run: one in-order queue. [`DeviceStep`] is a whole step over buffers that the
//! trainer owns, the same bits as `presam::Session` on the CPU.
//!
//! | feature | adds |
//! | --- | --- |
//! | `cuda` | `cuda`: NVIDIA GPUs. A binary with it cannot start without libcuda |
//! | `ptx` | `Ptx`: the committed PTX texts, executed and checked for faults on the CPU |
//! | `network` | `DeviceNetwork`: presam-model's multilayer perceptron on a device |

/// The features of this crate that were compiled in.
pub const FEATURES: &[&str] = &[
    #[cfg(feature = "cuda")]
    "cuda",
    #[cfg(feature = "network")]
    "network",
    #[cfg(feature = "ptx")]
    "ptx",
];

mod choice;
mod contract;
mod device;
mod emulated;
mod error;
mod layer;
mod memory;
mod mixes;
#[cfg(feature = "network")]
mod network;
mod options;
#[cfg(feature = "ptx")]
mod ptx;
mod recording;
mod segment;
mod step;
mod table;

#[cfg(feature = "cuda")]
pub mod cuda;

pub use choice::{Choice, NAMES};
pub use device::{Address, Device, SHORT_WRITE, recorded};
pub use emulated::Emulated;
pub use error::DeviceError;
pub use layer::Layer;
pub use memory::{Buffers, download, upload};
pub use mixes::{Flat, Mixes};
#[cfg(feature = "network")]
pub use network::{Batch, DeviceNetwork};
pub use options::{Form, Options};
pub use presam_kernels::Kernel;
#[cfg(feature = "ptx")]
pub use ptx::Ptx;
pub use recording::Recording;
pub use segment::{DeviceSegment, Scalar, Scalars};
pub use step::DeviceStep;
pub use table::{Planes, Tables};
