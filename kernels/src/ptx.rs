//! The generated texts, one a phase, and one more for planes of other scalars: `cargo xtask ptx` writes them.

/// The list, once for the names and once for what the files hold.
macro_rules! texts {
    ($($name:literal)*) => {
        /// The names of the texts: the stems of the files under kernels/ptx/.
        pub const TEXTS: &[&str] = &[$($name),*];

        /// The text of that name, for a driver of CUDA 11.0 or later and any GPU since Volta.
        ///
        /// ```
        /// let text = presam_kernels::ptx::text("descend").unwrap_or_default();
        /// assert!(text.contains(".target sm_70"));
        /// assert_eq!(presam_kernels::ptx::text("no such text"), None);
        /// ```
        pub fn text(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!("../ptx/", $name, ".ptx"))),)*
                _ => None,
            }
        }
    };
}

// A new name needs an empty file first, since the generator is linked with this crate.
texts! {
    "accumulate_f32"
    "accumulate_mixed"
    "ascend_f32"
    "ascend_mixed"
    "finish"
    "descend"
    "descend_mixed"
    "mix"
    "network"
}
