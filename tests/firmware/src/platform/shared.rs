//! [`Static`]: static arrays, lent once.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

/// A static value that is handed out once, as a C program has it for good.
pub struct Static<T> {
    taken: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: who takes the value is the only one that has it.
unsafe impl<T: Send> Sync for Static<T> {}

impl<T> Static<T> {
    pub const fn new(value: T) -> Self {
        Self { taken: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// The value, the first time. An image has one core and no interrupt, so a load and a store are enough
    /// where there is no atomic swap; on a host the main thread alone calls this.
    pub fn take(&'static self) -> Option<&'static mut T> {
        if self.taken.load(Ordering::Relaxed) {
            return None;
        }
        self.taken.store(true, Ordering::Relaxed);
        // SAFETY: this is the only reference, since the flag was down until now.
        Some(unsafe { &mut *self.value.get() })
    }
}
