//! Core and devices as backends of the conformance suite: [`Phases`], [`Sessions`], [`Threads`] around either,
//! [`Devices`]; and what any other backend over core's types needs to translate a
//! [`Case`](presam_conformance::Case).
//!
//! Rules are picked by name ([`AnyVariant`](presam::AnyVariant)): no loop of a rule is compiled here.

#[cfg(feature = "devices")]
pub mod device;
#[cfg(feature = "devices")]
mod faulty;
pub mod layer;
#[cfg(feature = "devices")]
mod narrow;
mod once;
pub mod phases;
pub mod planted;
#[cfg(feature = "devices")]
mod recorder;
pub mod session;
pub mod settings;
pub mod stepped;
#[cfg(feature = "devices")]
pub mod tensor;
pub mod threads;

#[cfg(feature = "devices")]
pub use device::Devices;
#[cfg(feature = "devices")]
pub use faulty::Faulty;
pub use layer::Layer;
#[doc(hidden)]
pub use once::both;
pub use phases::Phases;
#[cfg(feature = "devices")]
pub use recorder::Recorder;
pub use session::Sessions;
pub use stepped::{Extras, Stepped};
pub use threads::Threads;
