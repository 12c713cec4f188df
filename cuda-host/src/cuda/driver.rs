//! Calls of the driver: the result as the number that C returns, errors in the driver's own words.

use std::ffi::{CStr, c_char, c_int};

use cust::sys;

use crate::error::DeviceError;

/// A function of the driver whose result is read as a number.
pub(super) trait Coded {
    /// The same function, returning a number.
    type Function;

    /// The same function, returning a number.
    fn coded(self) -> Self::Function;
}

macro_rules! coded {
    ($($($argument:ident)*;)*) => {$(
        impl<$($argument),*> Coded for unsafe extern "C" fn($($argument),*) -> sys::CUresult {
            type Function = unsafe extern "C" fn($($argument),*) -> c_int;

            fn coded(self) -> Self::Function {
                // SAFETY: both are pointers to the same C function, which returns an int. Only its
                // Rust declaration says enum, and a code that the enum lacks must never become one.
                unsafe { std::mem::transmute(self) }
            }
        }
    )*};
}
coded! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F G H I J K;
}

/// A type for the compiler to find.
macro_rules! unknown {
    ($argument:expr) => {
        _
    };
}

/// Calls a function of the driver: `Ok`, or a [`Failure`] with its name.
macro_rules! call {
    ($function:ident($($argument:expr),* $(,)?)) => {{
        let function: unsafe extern "C" fn(
            $($crate::cuda::driver::unknown!($argument)),*
        ) -> cust::sys::CUresult = cust::sys::$function;
        $crate::cuda::driver::check(
            stringify!($function),
            $crate::cuda::driver::Coded::coded(function)($($argument),*),
        )
    }};
}
pub(super) use {call, unknown};

/// What a call answered other than success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) function: &'static str,
    pub(super) code: c_int,
}

pub(super) const INVALID_VALUE: c_int = 1;
pub(super) const OUT_OF_MEMORY: c_int = 2;
pub(super) const NO_DEVICE: c_int = 100;

/// After these, every later call on the context answers the same: uncorrectable memory or link errors,
/// a destroyed context, whatever a kernel is stopped for, a server of MPS that ended its client (810), and what the
/// driver has no word for (999), behind which mostly one of them stands.
const STICKY: [c_int; 18] =
    [4, 201, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 810, 999];

impl Failure {
    /// `CUDA_ERROR_ILLEGAL_ADDRESS (700), an illegal memory access was encountered, from cuStreamSynchronize`.
    pub(super) fn words(self) -> String {
        let Self { function, code } = self;
        let name = text_of(sys::cuGetErrorName, code)
            .unwrap_or_else(|| "a code of a newer driver".to_owned());
        let words = text_of(sys::cuGetErrorString, code)
            .map_or_else(String::new, |words| format!(", {words}"));
        format!("{name} ({code}){words}, from {function}")
    }

    pub(super) fn is_lost(self) -> bool {
        STICKY.contains(&self.code)
    }
}

impl From<Failure> for DeviceError {
    fn from(failure: Failure) -> Self {
        let what = failure.words();
        if failure.is_lost() { Self::Lost { what } } else { Self::Driver { what } }
    }
}

/// As NVIDIA writes it: `12.4`.
pub(super) fn cuda_version(version: c_int) -> String {
    format!("{}.{}", version / 1000, version % 1000 / 10)
}

pub(super) fn check(function: &'static str, code: c_int) -> Result<(), Failure> {
    if code == 0 { Ok(()) } else { Err(Failure { function, code }) }
}

type TextOf = unsafe extern "C" fn(sys::CUresult, *mut *const c_char) -> sys::CUresult;

/// What the driver says of `code`; `None` where it does not know it either.
fn text_of(function: TextOf, code: c_int) -> Option<String> {
    // SAFETY: as in `coded!`: C takes and returns an int.
    let function: unsafe extern "C" fn(c_int, *mut *const c_char) -> c_int =
        unsafe { std::mem::transmute(function) };
    let mut text = std::ptr::null();
    // SAFETY: `text` is a place for one pointer; the function needs no context and keeps nothing.
    let found = unsafe { function(code, &raw mut text) } == 0 && !text.is_null();
    // SAFETY: the driver answered with a constant text of its own, ended by a zero.
    found.then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_nvidia_writes_them() {
        assert_eq!(
            [11_000, 11_040, 12_080, 13_000].map(cuda_version),
            ["11.0", "11.4", "12.8", "13.0"]
        );
    }
}
