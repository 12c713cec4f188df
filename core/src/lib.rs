#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(any(target_arch = "nvptx64", presam_core_float_math), feature(core_float_math))]
#![doc = include_str!("../README.md")]

#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "any")]
pub mod any;
pub mod base;
pub mod descent;
pub mod erased;
pub mod pass;
pub mod variants;

mod bias;
mod clip;
mod cpu;
mod element;
mod error;
#[cfg(feature = "heapless")]
mod fixed;
mod group;
mod info;
mod length;
mod loss_scale;
mod map;
mod mask;
mod norm;
mod outcome;
mod parallel;
mod phase;
mod planes;
mod real;
mod reduce;
mod schedule;
mod session;
mod slices;
mod switch;

#[cfg(feature = "any")]
#[doc(inline)]
pub use any::{AnyBase, AnyReal, AnyVariant};
#[doc(inline)]
pub use base::{AdamW, BaseOptimizer, BaseState, DescentRule, Sgd, SgdMomentum};
pub use clip::{clip_factor, clip_factor_of};
pub use cpu::Cpu;
#[doc(inline)]
pub use descent::{GradientMix, Gsam, LookSam, Saner, Wsam};
pub use element::{AscentRule, Configure, Element, RuleState, Variant};
#[doc(inline)]
pub use erased::{Armed, ArmedBase, Ascending, DynBase, DynVariant, Erased, PlaneCount};
pub use error::Error;
#[cfg(feature = "heapless")]
pub use fixed::FixedSam;
pub use group::Group;
pub use info::{BaseInfo, Claim, Key, Limits, Slope, VariantInfo};
pub use length::{Ascent, LengthRule, Scale, finish, finish_total};
pub use loss_scale::Unscaled;
pub use mask::{DynamicMask, TopK, kept_count};
pub use norm::{CHUNK, LANES, Part, PartialNorm, ScaledNorm};
pub use outcome::Outcome;
pub use planes::{MAX_PLANES, Planes, PlanesMut};
pub use real::Real;
pub use schedule::{Schedule, gsam_rho};
pub use session::{
    Ascended, Flat, Form, Kept, Mark, Point, SecondGradient, SegmentMut, Segments, Session,
    StepReport, Tensor,
};

macro_rules! export {
    ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
        #[doc(inline)]
        pub use variants::{$($Variant),*};
    };
}
crate::for_each_variant!(export);
