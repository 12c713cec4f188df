//! What some methods do to the second gradient: helpers outside the ascent form.
//!
//! Each is two passes, SANER and WSAM the second alone: [`Cpu::accumulate_pair`](crate::Cpu::accumulate_pair) sums what the
//! mix needs, [`Cpu::mix_gradients`](crate::Cpu::mix_gradients) writes the mixed gradient over the second one. None of them
//! asks which variant ascended.

mod gsam;
mod look_sam;
mod pair;
mod saner;
mod wsam;

pub use gsam::{Gsam, GsamMix};
pub use look_sam::{LookSam, LookSamReuse, LookSamSplit};
pub use pair::{GradientMix, Mixed};
pub use saner::Saner;
pub use wsam::{Wsam, WsamCorrection};
