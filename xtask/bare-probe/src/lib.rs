//! Every phase with every variant, over slices of unknown length and content, as one bare object.
//!
//! Whatever could panic for some input leaves a call into `core::panicking` in the object;
//! `cargo xtask no-panic` searches it. Nothing here is ever run.
#![no_std]

#[cfg(not(feature = "planted"))]
mod entries;
#[cfg(not(feature = "planted"))]
mod helpers;
#[cfg(not(feature = "planted"))]
mod phases;
#[cfg(feature = "planted")]
mod planted;

unsafe extern "C" {
    /// Defined nowhere: the panic handler's mark in the object.
    fn presam_panic_is_reachable() -> !;
}

#[panic_handler]
#[inline(never)]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: never linked, never run.
    unsafe { presam_panic_is_reachable() }
}
