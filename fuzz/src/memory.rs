//! How much memory a parser takes: [`peak`] under the allocator [`Measuring`].

#![allow(unsafe_code, reason = "an allocator can be watched by being one, and no other way")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, measured thread by thread.
#[derive(Debug)]
pub struct Measuring;

thread_local! {
    // Below zero where a thread frees what another one allocated.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Counts bytes that are taken, or given back where negative.
fn count(bytes: isize) {
    // After a thread's locals are gone nothing is measured on it.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        PEAK.with(|peak| peak.set(peak.get().max(held.get())));
    });
}

/// A layout is at most isize::MAX bytes.
fn signed(bytes: usize) -> isize {
    bytes.cast_signed()
}

// SAFETY: every call is handed on to the system's allocator unchanged; counting touches constant-initialised
// thread locals without destructors, which neither allocates nor unwinds.
unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller's contract is the callee's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-signed(layout.size()));
        // SAFETY: the caller's contract is the callee's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // While the system copies, both are held.
        count(signed(size));
        count(-signed(layout.size()));
        // SAFETY: the caller's contract is the callee's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// What `f` returns, and the most bytes that it held at a time. The program must run on [`Measuring`]:
///
/// ```
/// use presam_fuzz::memory::{Measuring, peak};
///
/// #[global_allocator]
/// static ALLOCATOR: Measuring = Measuring;
///
/// assert_eq!(peak(|| vec![0_u8; 1000].len()), (1000, 1000));
/// ```
pub fn peak<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    PEAK.set(before);
    let value = f();
    (value, (PEAK.get() - before).cast_unsigned())
}
