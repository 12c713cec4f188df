//! An image that does one thing with the step, over slices of unknown length and place, and nothing else:
//! `cargo xtask size` builds it once for each thing (the file named by `PRESAM_IMAGE`) and weighs it.
//! Never run. A panic that some input reaches is a call that no linker can resolve.
#![no_std]
#![no_main]

mod board;
mod forms;
mod image {
    include!(env!("PRESAM_IMAGE"));
}

/// Where an image starts.
#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    let mut call = board::call();
    board::tell(image::run(&mut call).is_ok());
    loop {
        core::hint::spin_loop();
    }
}

unsafe extern "C" {
    /// Defined nowhere: a panic that can be reached breaks the link.
    fn presam_panic_is_reachable() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: never linked, never run.
    unsafe { presam_panic_is_reachable() }
}
