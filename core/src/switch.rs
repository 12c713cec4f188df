//! [`Switch`]: a bool that is as wide as an `f32`.

/// On or off, in four bytes: a configuration in `f32` is then a row of 32-bit words without padding,
/// which a driver may copy to a device as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Switch(u32);

impl Switch {
    pub const ON: Self = Self::new(true);
    pub const OFF: Self = Self::new(false);

    pub const fn new(on: bool) -> Self {
        Self(on as u32)
    }

    #[inline(always)]
    pub const fn is_on(self) -> bool {
        self.0 != 0
    }
}
