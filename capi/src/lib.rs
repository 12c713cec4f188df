//! The C interface of [`presam`]: what `include/presam.h` declares.
//!
//! | file | what it is |
//! | --- | --- |
//! | `f32.rs`, `f64.rs`, `common.rs` | the C functions, a line each |
//! | `calls.rs`, `array.rs` | their bodies: a caller's addresses are checked, then the step does its part |
//! | `count.rs` | how many tensors stand perturbed, whether they are shown or not |
//! | `extent.rs` | where addresses lie: null, alignment, length, overlaps |
//! | `memory.rs` | the places where addresses become values and slices |
//! | `layout.rs` | the structs that a caller fills in |
//! | `settings.rs`, `rules.rs` | a configuration with its tags and names becomes rules of the core |
//! | `state.rs`, `norm.rs`, `segment.rs` | safe: the order of a step, and its phases |
//! | `status.rs` | what a call answers |
//!
//! Safe code stands behind these two; every function of C states what a caller must keep to.
#![no_std]

mod array;
mod calls;
mod common;
mod count;
mod extent;
mod f32;
mod f64;
mod layout;
mod mark;
mod memory;
mod norm;
mod rules;
mod segment;
mod settings;
mod state;
mod status;

pub use common::*;
pub use f32::*;
pub use f64::*;
pub use layout::*;
pub use rules::{Base, Variant};
pub use status::{Argument, Code, Status};

/// Firmware has no other. No call reaches it (`cargo xtask capi` looks for panics in the image).
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
