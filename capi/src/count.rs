//! [`Room`]: a state and, behind it, how many tensors its ascents have left perturbed. Marks are met where their tensors
//! are shown; this counts those that are not.

#![allow(unsafe_code, reason = "C hands over addresses")]

use crate::status::{Argument, Code, Fault, check};
use core::ptr::addr_of;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The one word that calls for a tensor write, while other threads read the state before it.
#[repr(C)]
pub(crate) struct Room<S> {
    state: S,
    perturbed: Count,
}

/// How many tensors are perturbed.
#[repr(transparent)]
pub(crate) struct Count(AtomicU32);

impl Count {
    /// Of a state at this address.
    ///
    /// # Safety
    /// A `Room` lies there, which lives as long as this is used.
    pub(crate) unsafe fn of<'a, S>(at: *const S) -> &'a Self {
        // SAFETY: the caller's word; nobody has a reference to the whole.
        unsafe { &*addr_of!((*at.cast::<Room<S>>()).perturbed) }
    }

    pub(crate) fn begin(&self) {
        self.0.store(0, Relaxed);
    }

    pub(crate) fn get(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// One more, or one less.
    pub(crate) fn moves(&self, up: bool) {
        let next = |now: u32| if up { now.checked_add(1) } else { now.checked_sub(1) };
        // One that a state copied back knows nothing of is not counted down.
        #[cfg(target_has_atomic = "32")]
        let _ = self.0.fetch_update(Relaxed, Relaxed, next);
        #[cfg(not(target_has_atomic = "32"))]
        self.0.store(next(self.get()).unwrap_or(self.get()), Relaxed);
    }

    /// `Ok` where all are back.
    pub(crate) fn check_rest(&self, argument: Argument) -> Result<(), Fault> {
        check(self.get() == 0, Code::StillPerturbed, argument)
    }
}
