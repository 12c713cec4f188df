//! A guest on a thread of somebody else's: what it finds there is as it was when it leaves.

use cust::sys;

use super::driver::call;

/// Runs `work` and leaves the calling thread the context that it had: CUDA's runtime, and so a trainer over it, takes
/// the current one for its current device.
pub fn as_guest<T>(work: impl FnOnce() -> T) -> T {
    let mut before = std::ptr::null_mut();
    // SAFETY: there is a place for one handle. Before the driver is started it is refused: nothing is current then.
    let known = unsafe { call!(cuCtxGetCurrent(&raw mut before)) }.is_ok();
    let done = work();
    if known {
        // SAFETY: it was current; null stands for none.
        let _ = unsafe { call!(cuCtxSetCurrent(before)) };
    }
    done
}

/// Runs `work`, which may free and wait whatever is being captured on other streams, and spoils no capture of them.
pub fn beside_captures<T>(work: impl FnOnce() -> T) -> T {
    let mut mode = sys::CUstreamCaptureMode_enum::CU_STREAM_CAPTURE_MODE_RELAXED as std::ffi::c_int;
    // SAFETY: the mode is an int to C, which takes ours and gives the thread's; it never becomes the enum here.
    let changed =
        unsafe { call!(cuThreadExchangeStreamCaptureMode((&raw mut mode).cast())) }.is_ok();
    let done = work();
    if changed {
        // SAFETY: as above, with what it gave.
        let _ = unsafe { call!(cuThreadExchangeStreamCaptureMode((&raw mut mode).cast())) };
    }
    done
}
