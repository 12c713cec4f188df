//! [`Ascended`]: a model at its perturbed point, and the way back.

use super::segment::Segments;
use super::settings::{Session, StepReport};
use super::visit::Seen;
use crate::erased::{DynBase, DynVariant};
use crate::error::Error;
use crate::group::Group;
use crate::length::Ascent;
use crate::outcome::Outcome;
use crate::real::Real;

/// A model at its perturbed point. Dropped without a descent (an early return, a panic), it restores.
#[must_use = "dropping it restores the parameters and takes no step"]
pub struct Ascended<'s, R: Real, V, B, T: Segments<R> + ?Sized> {
    pub(super) session: &'s mut Session<R, V, B>,
    pub(super) groups: &'s [Group<R>],
    pub(super) model: &'s mut T,
    pub(super) ascent: Ascent<R>,
    /// What the first visit of the step showed.
    pub(super) seen: Seen,
}

impl<R: Real, V, B, T: Segments<R> + ?Sized> Ascended<'_, R, V, B, T> {
    /// The perturbed model: take the second gradient here, and mix it with the first.
    pub fn model(&mut self) -> &mut T {
        self.model
    }

    /// The norm and what became of it. After [`Outcome::NonFinite`] a second gradient is wasted.
    pub fn ascent(&self) -> Ascent<R> {
        self.ascent
    }

    /// The groups of the step.
    pub fn groups(&self) -> &[Group<R>] {
        self.groups
    }

    /// Every marked segment back from its backup. What a visit did not show is tried once more when
    /// `self` is dropped.
    fn restore(&mut self) -> Result<(), Error> {
        if self.session.kept.perturbed == 0 {
            return Ok(());
        }
        self.session.restore(self.model)?;
        self.session.check_kept()
    }
}

impl<R: Real, V: DynVariant<R>, B: DynBase<R>, T: Segments<R> + ?Sized> Ascended<'_, R, V, B, T> {
    /// The second half of a step: restores every parameter, bit for bit, then lets the base optimizer
    /// step with the model's second gradient.
    ///
    /// After a non-finite first or second gradient nothing is changed but the restored parameters;
    /// the variant's memory keeps the first gradient if that one was finite.
    ///
    /// # Errors
    /// [`Error::StillPerturbed`] where the model does not show every perturbed segment: those it shows are
    /// restored, the others' [`Mark`](crate::Mark)s stand, nothing descends, and no step begins before
    /// [`Session::restore`] has brought them back.
    /// [`Error::Visit`] where another visit shows other segments, and the errors of the visits: nothing has
    /// stepped, unless it was the last visit, which leaves the segments before the named one stepped and
    /// the counters as they were.
    pub fn descend(mut self) -> Result<StepReport<R>, Error> {
        self.restore()?;
        let ascent = self.ascent;
        if ascent.outcome == Outcome::NonFinite {
            return Ok(StepReport { ascent, second: Outcome::Finite, descended: false });
        }
        let second = self.session.judge_and_descend(self.groups, self.model, self.seen)?;
        Ok(StepReport { ascent, second, descended: second != Outcome::NonFinite })
    }
}

impl<R: Real, V, B, T: Segments<R> + ?Sized> Drop for Ascended<'_, R, V, B, T> {
    fn drop(&mut self) {
        // A visitor that fails here failed before; the marks say so to the next step.
        let _ = self.restore();
    }
}
