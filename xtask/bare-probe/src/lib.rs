//! Every phase with every variant, over slices of unknown length and content, as one bare object.
//!
//! Whatever could panic for some input leaves a call into `core::panicking` in the object;
//! `cargo xtask no-panic` searches it. Nothing here is ever run.
#![no_std]

mod helpers;
mod phases;
#[cfg(any(feature = "planted-index", feature = "planted-fused"))]
mod planted;

use phases::{Call, fixed_step, phases, session_step};
use presam::{Error, StepReport};

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

/// `FixedSam` takes variants without inputs only.
macro_rules! fixed {
    (0, $module:ident, $Variant:ident, $m:tt, $R:ident) => {
        #[unsafe(export_name = concat!("probe_fixed_", stringify!($module), "_", stringify!($R)))]
        pub fn fixed(
            call: &mut Call<'_, $R, $m, 0>,
            gradient: fn(&[$R], &mut [$R]),
        ) -> Result<StepReport<$R>, Error> {
            fixed_step::<$R, presam::$Variant<$R>, $m>(call, gradient)
        }
    };
    ($inputs:tt, $module:ident, $Variant:ident, $m:tt, $R:ident) => {};
}

macro_rules! probes {
    ($R:ident $($module:ident: $Variant:ident, memory $m:tt, inputs $i:tt;)*) => {
        pub mod $R {
            $(pub mod $module {
                use crate::*;

                #[unsafe(export_name = concat!("probe_phases_", stringify!($module), "_", stringify!($R)))]
                pub fn phases(call: &mut Call<'_, $R, $m, $i>) -> Result<(), Error> {
                    crate::phases::<$R, presam::$Variant<$R>, $m, $i>(call)
                }

                #[unsafe(export_name = concat!("probe_session_", stringify!($module), "_", stringify!($R)))]
                pub fn session(
                    call: &mut Call<'_, $R, $m, $i>,
                    gradient: fn(&[$R], &mut [$R]),
                ) -> Result<StepReport<$R>, Error> {
                    session_step::<$R, presam::$Variant<$R>, $m, $i>(call, gradient)
                }

                fixed!($i, $module, $Variant, $m, $R);
            })*
        }
    };
}
presam::for_each_variant!(probes f32);
presam::for_each_variant!(probes f64);
