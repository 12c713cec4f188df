//! The stack and the static RAM of an image, by the symbols of its linker script.

use core::ptr::{addr_of, read_volatile, write_volatile};

unsafe extern "C" {
    static __sdata: u32;
    static __edata: u32;
    static __sbss: u32;
    static __ebss: u32;
    static __sheap: u32;
}

const PAINT: u32 = 0xcccc_cccc;
/// What is painted below the painter: more than any step may use.
const MOST: usize = 64 * 1024;
/// The painter's own frame, left as it is.
const OWN: usize = 128;

/// The painted stack: where its painter stood.
#[derive(Clone, Copy, Default)]
pub struct Painted(usize);

/// Paints the stack below the caller.
#[inline(never)]
pub fn paint() -> Painted {
    let here = 0_u32;
    let top = addr_of!(here) as usize;
    let mut at = lowest(top);
    while at < top - OWN {
        // SAFETY: between the static data and this frame nothing lives.
        unsafe { write_volatile(at as *mut u32, PAINT) };
        at += 4;
    }
    Painted(top)
}

/// Bytes below the painter that were written since.
#[inline(never)]
pub fn used(Painted(top): Painted) -> usize {
    let mut at = lowest(top);
    // SAFETY: as in `paint`.
    while at < top && unsafe { read_volatile(at as *const u32) } == PAINT {
        at += 4;
    }
    top - at
}

/// Where painting begins: `MOST` below the top, above the static data.
fn lowest(top: usize) -> usize {
    top.saturating_sub(MOST).max(addr_of!(__sheap) as usize).next_multiple_of(4)
}

/// Bytes of initialised and zeroed static data.
pub fn static_ram() -> usize {
    let [data, end_of_data, zeroed, end] =
        [addr_of!(__sdata), addr_of!(__edata), addr_of!(__sbss), addr_of!(__ebss)]
            .map(|symbol| symbol as usize);
    (end_of_data - data) + (end - zeroed)
}
