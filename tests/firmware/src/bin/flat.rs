//! Image B: static arrays with offsets, as in trainers written in C.
#![cfg_attr(target_os = "none", no_std, no_main)]

presam_firmware::image!(presam_firmware::flat::run);
