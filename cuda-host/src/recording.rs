//! [`Recording`]: what a device was asked for, kept by the device itself to be queued again as one.

use std::any::Any;
use std::fmt;

/// A recorded sequence of launches, fills and copies, with the addresses and words that they had. It may be
/// [replayed](crate::Device::replay) on its device for as long as the memory that it names is allocated.
pub struct Recording(Box<dyn Any>);

impl Recording {
    /// What a device makes of a sequence, in a form of its own.
    #[must_use]
    pub fn new<T: Any>(sequence: T) -> Self {
        Self(Box::new(sequence))
    }

    /// The sequence, if it is of this form.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}
