//! [`Mark`]: what an ascent perturbed, remembered beside the tensor.

/// Whether a tensor is at its perturbed point, so that its backup holds the parameters.
///
/// The trainer keeps one beside each tensor, `Mark::default()` before the first step, and hands it to
/// every visit; the session alone writes it, in place only. Without a heap there is no other exact place
/// for it: a count cannot say which tensors a visitor left out. After an error it says which of them are
/// not restored, and no step begins before they are ([`Session::restore`](crate::Session::restore)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Mark(u32);

impl Mark {
    /// Whether the backup holds the parameters.
    #[must_use]
    pub const fn is_perturbed(self) -> bool {
        self.0 != 0
    }

    /// That of perturbed segment `number`, counted from 0.
    pub(super) fn of(number: usize) -> Self {
        Self(u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// Its number.
    pub(super) const fn number(self) -> Option<usize> {
        match self.0.checked_sub(1) {
            Some(number) => Some(number as usize),
            None => None,
        }
    }
}
