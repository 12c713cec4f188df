//! What two images of a microcontroller do, and what the same files do on a host: every line that begins
//! with `result` must be the same on both.
//!
//! | image | what it does |
//! | --- | --- |
//! | `owned` | trains with `FixedSam`, which owns its buffers; runs the golden vectors, the norm's and the boundary shapes |
//! | `flat` | trains as C programs do, in static arrays with offsets, by typed and by erased phases; counts what each rule costs |
#![cfg_attr(target_os = "none", no_std)]

pub mod arrays;
pub mod bits;
pub mod cost;
pub mod digits;
pub mod fault;
pub mod flat;
pub mod machine;
pub mod network;
pub mod owned;
pub mod platform;
pub mod sha256;
pub mod vectors;

/// The program of an image: `run` on the machine that it is built for.
#[macro_export]
macro_rules! image {
    ($run:path) => {
        #[cfg(target_os = "none")]
        #[unsafe(no_mangle)]
        extern "C" fn main() -> ! {
            $crate::platform::start($run)
        }

        #[cfg(not(target_os = "none"))]
        fn main() -> std::process::ExitCode {
            $crate::platform::start($run)
        }
    };
}
