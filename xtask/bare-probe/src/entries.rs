//! The entries: every variant, with `f32` and `f64`, by typed and erased phases and by session, and all of
//! them by name.

use crate::phases::{Call, by_name, erased, fixed_step, phases, session, session_by_name};
use presam::{Error, StepReport};

/// `FixedSam` takes variants without inputs only.
macro_rules! fixed {
    (0, $module:ident, $Variant:ident, $m:tt, $R:ident) => {
        #[unsafe(export_name = concat!("probe_fixed_", stringify!($module), "_", stringify!($R)))]
        pub fn step_with_own_buffers(
            call: &mut Call<'_, $R>,
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
            use crate::entries::*;

            #[unsafe(export_name = concat!("probe_any_phases_", stringify!($R)))]
            pub fn step_by_name(call: &mut Call<'_, $R>) -> Result<(), Error> {
                by_name::<$R>(call)
            }

            #[unsafe(export_name = concat!("probe_any_session_", stringify!($R)))]
            pub fn step_by_session_by_name(
                call: &mut Call<'_, $R>,
                gradient: fn(&[$R], &mut [$R]),
            ) -> Result<StepReport<$R>, Error> {
                session_by_name::<$R>(call, gradient)
            }

            $(pub mod $module {
                use crate::entries::*;

                #[unsafe(export_name = concat!("probe_phases_", stringify!($module), "_", stringify!($R)))]
                pub fn step_by_phases(call: &mut Call<'_, $R>) -> Result<(), Error> {
                    phases::<$R, presam::$Variant<$R>, $m, $i>(call)
                }

                #[unsafe(export_name = concat!("probe_erased_", stringify!($module), "_", stringify!($R)))]
                pub fn step_by_erased_phases(call: &mut Call<'_, $R>) -> Result<(), Error> {
                    erased::<$R, presam::$Variant<$R>>(call)
                }

                #[unsafe(export_name = concat!("probe_session_", stringify!($module), "_", stringify!($R)))]
                pub fn step_by_session(
                    call: &mut Call<'_, $R>,
                    gradient: fn(&[$R], &mut [$R]),
                ) -> Result<StepReport<$R>, Error> {
                    session::<$R, presam::$Variant<$R>>(call, gradient)
                }

                fixed!($i, $module, $Variant, $m, $R);
            })*
        }
    };
}
presam::for_each_variant!(probes f32);
presam::for_each_variant!(probes f64);
