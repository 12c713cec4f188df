#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(target_arch = "nvptx64", feature(core_float_math))]
#![doc = include_str!("../README.md")]

#[cfg(feature = "std")]
extern crate std;

pub mod base;
pub mod descent;
pub mod pass;
pub mod variants;

mod ascended;
mod clip;
mod cpu;
mod element;
mod error;
#[cfg(feature = "heapless")]
mod fixed;
mod group;
mod length;
mod loss_scale;
mod map;
mod mask;
mod norm;
mod outcome;
#[cfg(feature = "rayon")]
mod parallel;
mod phase;
mod real;
mod reduce;
mod schedule;
mod segment;
mod session;
mod switch;

pub use ascended::Ascended;
#[doc(inline)]
pub use base::{AdamW, BaseOptimizer, BaseState, DescentRule, Sgd, SgdMomentum};
pub use clip::{clip_factor, clip_factor_of};
pub use cpu::Cpu;
#[doc(inline)]
pub use descent::{GradientMix, Gsam, LookSam, Wsam};
pub use element::{AscentRule, Configure, Element, RuleState, Variant};
pub use error::Error;
#[cfg(feature = "heapless")]
pub use fixed::FixedSam;
pub use group::Group;
pub use length::{Ascent, LengthRule, Scale, finish, finish_total};
pub use loss_scale::Unscaled;
pub use mask::{DynamicMask, TopK, kept_count};
pub use norm::{CHUNK, LANES, Part, PartialNorm, ScaledNorm};
pub use outcome::Outcome;
pub use real::Real;
pub use schedule::{Schedule, gsam_rho};
pub use segment::{Flat, SegmentMut, Segments};
pub use session::{SecondGradient, Session, StepReport};
pub use variants::{Claim, Key, Limits, VariantInfo};

macro_rules! export {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        #[doc(inline)]
        pub use variants::{$($Variant),*};
    };
}
crate::for_each_variant!(export);
