//! [`Mark`]: what a step saw and perturbed, remembered beside the tensor; [`Kept`]: what the session remembers.

/// Which place a tensor has in the step at hand, and whether it is at its perturbed point, so that its
/// backup holds the parameters.
///
/// The trainer keeps one beside each tensor, `Mark::default()` before the first step, and hands it to
/// every visit; the session alone writes it. Without a heap there is no other exact place for it: a count
/// cannot say which tensors a visitor left out. After an error it says which of them are not restored, and
/// no step begins before they are ([`Session::restore`](crate::Session::restore)). A mark made anew in each
/// visit ends the first step with [`Error::Visit`](crate::Error::Visit) or, in place, with
/// [`Error::StillPerturbed`](crate::Error::StillPerturbed): then w must be taken from the spares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Mark {
    /// The step whose first visit showed it; 0: none yet.
    step: u32,
    /// Its place in that visit.
    place: u32,
    /// 0 at rest, else one more than its number among the perturbed segments.
    perturbed: u32,
    group: usize,
    /// How many elements it has, and its backup holds.
    len: usize,
}

impl Mark {
    /// Whether the backup holds the parameters.
    #[must_use]
    pub const fn is_perturbed(self) -> bool {
        self.perturbed != 0
    }

    /// That of the segment at `place` of the first visit of `step`.
    pub(super) fn at(step: u32, place: usize, group: usize, len: usize) -> Self {
        Self { step, place: u32::try_from(place).unwrap_or(u32::MAX), perturbed: 0, group, len }
    }

    /// The same as perturbed segment `number`, counted from 0.
    pub(super) fn perturbed(self, number: usize) -> Self {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Self { perturbed: number.saturating_add(1), ..self }
    }

    /// The same at rest.
    pub(super) const fn at_rest(self) -> Self {
        Self { perturbed: 0, ..self }
    }

    /// How many elements the backup holds.
    pub(super) const fn len(self) -> usize {
        self.len
    }

    /// Its number among the perturbed segments.
    pub(super) const fn number(self) -> Option<usize> {
        match self.perturbed.checked_sub(1) {
            Some(number) => Some(number as usize),
            None => None,
        }
    }
}

/// What a session remembers from one call to the next beside its counters: the step it is at, and how many
/// segments it left perturbed. While there are any, no step begins, also where no visit shows them.
///
/// `Kept::default()` forgets: for a model whose parameters came back from elsewhere, with marks made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Kept {
    /// The step at hand, counted from 1 and over again.
    pub(super) step: u32,
    /// How many segments are perturbed and not yet restored.
    pub(super) perturbed: usize,
    /// The first of them.
    pub(super) first: usize,
}

impl Kept {
    /// Another step; never 0, which is no step's.
    pub(super) fn begin(&mut self) {
        self.step = self.step.wrapping_add(1).max(1);
    }

    /// Perturbed segment `number` is restored. Numbers grow along a visit: the first one left out is the
    /// first that was not shown.
    pub(super) fn restored(&mut self, number: usize) {
        self.perturbed = self.perturbed.saturating_sub(1);
        if number == self.first {
            self.first = self.first.saturating_add(1);
        }
    }
}
