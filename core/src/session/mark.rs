//! [`Mark`]: what an ascent perturbed, remembered beside the tensor.

/// Whether a tensor is at its perturbed point, so that its backup holds the parameters.
///
/// The trainer keeps one beside each tensor, `Mark::default()` before the first step, and hands it to
/// every visit; the session alone writes it, in place only. Without a heap there is no other exact place
/// for it: a count cannot say which tensors a visitor left out. After an error it says which of them are
/// not restored, and no step begins before they are ([`Session::restore`](crate::Session::restore)). A
/// mark made anew in each visit says nothing: the first step ends with
/// [`Error::StillPerturbed`](crate::Error::StillPerturbed), and w must be taken from the spares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Mark {
    /// 0 at rest, else one more than its number among the perturbed segments.
    place: u32,
    /// How many elements the backup holds.
    len: usize,
}

impl Mark {
    /// Whether the backup holds the parameters.
    #[must_use]
    pub const fn is_perturbed(self) -> bool {
        self.place != 0
    }

    /// That of perturbed segment `number`, counted from 0, of `len` elements.
    pub(super) fn of(number: usize, len: usize) -> Self {
        Self { place: u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1), len }
    }

    /// How many elements the backup holds.
    pub(super) const fn len(self) -> usize {
        self.len
    }

    /// Its number.
    pub(super) const fn number(self) -> Option<usize> {
        match self.place.checked_sub(1) {
            Some(number) => Some(number as usize),
            None => None,
        }
    }
}
