//! C's functions that are of no type: names, planes, texts.
//!
//! Each address is null or holds what its type says; a buffer has the room that is told.

#![allow(unsafe_code, reason = "C hands over addresses")]

use crate::calls::{self, said};
use crate::layout::{Config, PRESAM_VERSION, PlaneCount};
use crate::memory::write_text;
use crate::rules::{BASES, VARIANTS, name};
use crate::status::{Argument, Code, Status};
use core::ffi::{CStr, c_char};
use core::ptr::null;

/// The library's `PRESAM_VERSION`, where it is not the header's.
#[unsafe(no_mangle)]
pub extern "C" fn presam_version() -> u32 {
    PRESAM_VERSION
}

/// How many planes of each kind a configuration takes: write `size` and `version` into `out`, the rest is filled
/// in. The same numbers stand in the header, for static buffers: `PRESAM_MEMORY_INFO_ASAM`.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_count_planes(
    config: *const Config,
    out: *mut PlaneCount,
) -> Status {
    // SAFETY: the caller's word.
    said(unsafe { calls::plane_count(config, out) })
}

/// A variant's name, null for a number that is no tag.
#[unsafe(no_mangle)]
pub extern "C" fn presam_variant_name(variant: u32) -> *const c_char {
    name(VARIANTS, variant).map_or(null(), CStr::as_ptr)
}

/// A base optimizer's name, null for a number that is no tag.
#[unsafe(no_mangle)]
pub extern "C" fn presam_base_name(base: u32) -> *const c_char {
    name(BASES, base).map_or(null(), CStr::as_ptr)
}

/// What is wrong, in words: `expected .., found ..`.
#[unsafe(no_mangle)]
pub extern "C" fn presam_status_text(status: Status) -> *const c_char {
    Code::text(status.code()).as_ptr()
}

/// The argument that is at fault: `tensor.params`; empty where all is well.
#[unsafe(no_mangle)]
pub extern "C" fn presam_status_argument(status: Status) -> *const c_char {
    Argument::text(status.argument()).as_ptr()
}

/// Both, and which tensor or setting: `tensor.params (2): expected .., found ..`, cut to the room there is. Returns
/// the length of the whole, without its 0; `buffer` may be null.
///
/// # Safety
/// As the module says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn presam_status_write(
    status: Status,
    buffer: *mut c_char,
    room: usize,
) -> usize {
    let (argument, text) = (Argument::text(status.argument()), Code::text(status.code()));
    let mut digits = [0; 5];
    let of_list = Argument::is_of_list(status.argument());
    let index: [&[u8]; 3] =
        if of_list { [b" (", decimal(status.index(), &mut digits), b")"] } else { [b""; 3] };
    let [open, number, close] = index;
    let colon: &[u8] = if argument.is_empty() { b"" } else { b": " };
    let parts = [argument.to_bytes(), open, number, close, colon, text.to_bytes()];
    // SAFETY: the caller's word.
    unsafe { write_text(&parts, buffer, room) }
}

/// A number below 100,000 in digits.
fn decimal(number: u32, digits: &mut [u8; 5]) -> &[u8] {
    let (mut left, mut first) = (number, digits.len());
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        first = place;
        if left == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}
