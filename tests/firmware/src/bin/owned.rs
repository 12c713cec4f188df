//! Image A: an optimizer that owns its buffers, and the vectors.
#![cfg_attr(target_os = "none", no_std, no_main)]

presam_firmware::image!(presam_firmware::owned::run);
