//! A step's order: measure, perturb, the second gradient, restore, descend.

use super::ascended::Ascended;
use super::segment::{SegmentMut, Segments};
use super::settings::{Form, Point, Session, StepReport};
use super::visit::{Perturbed, Seen, group_of, restore, visit};
use crate::element::RuleState;
use crate::erased::{Armed, Ascending, DynBase, DynVariant};
use crate::error::{Error, check_length};
use crate::group::Group;
use crate::info::Slope;
use crate::length::{Ascent, Scale};
use crate::norm::{Part, PartialNorm, ScaledNorm};
use crate::outcome::Outcome;
use crate::planes::Planes;
use crate::real::Real;

impl<R: Real, V: DynVariant<R>, B: DynBase<R>> Session<R, V, B> {
    /// One whole step: `gradient` is called at w, then at the perturbed point, and must write the
    /// model's gradient there. The driver for trainers that can express a step as one closure.
    ///
    /// The second call is left out where the first gradient is not finite, and the first one where the variant
    /// follows the momentum ([`MomentumSam`](crate::MomentumSam), by name too): then this is
    /// [`step_with_momentum`](Session::step_with_momentum). An error of the closure leaves w as it was.
    ///
    /// ```
    /// use presam::{Cpu, Flat, Group, Sam, Session, Sgd};
    ///
    /// let mut session = Session::new(Cpu::detect(), Sam::new(), Sgd::new(0.1f32)?);
    /// let (mut w, mut g, mut spare) = ([3.0, 4.0], [0.0; 2], [0.0; 2]);
    /// let mut model = Flat::new(&mut w, &mut g, &mut spare);
    /// for _ in 0..200 {
    ///     session.step(&[Group::new(0.05)?], &mut model, |m, _| {
    ///         for (g, w) in m.grads.iter_mut().zip(m.params.iter()) { *g = 2.0 * w } // of |w|^2
    ///         Ok::<(), presam::Error>(())
    ///     })?;
    /// }
    /// assert!(w.iter().all(|w| w.abs() < 0.05));
    /// # Ok::<(), presam::Error>(())
    /// ```
    ///
    /// # Errors
    /// The closure's, and those of [`ascend`](Session::ascend) and [`Ascended::descend`].
    pub fn step<T, E>(
        &mut self,
        groups: &[Group<R>],
        model: &mut T,
        mut gradient: impl FnMut(&mut T, Point) -> Result<(), E>,
    ) -> Result<StepReport<R>, E>
    where
        E: From<Error>,
        T: Segments<R> + ?Sized,
    {
        if self.variant.info().is_some_and(|info| info.slope == Slope::Momentum) {
            return self.step_with_momentum(groups, model, gradient);
        }
        gradient(model, Point::Params)?;
        let ascended = self.ascend(groups, model)?;
        finish_step(ascended, gradient)
    }

    /// One whole step of a one-gradient method ([`MomentumSam`](crate::MomentumSam)): the slope of
    /// the ascent is the base optimizer's first state plane, `gradient` is called at the perturbed
    /// point only.
    ///
    /// # Errors
    /// As [`step`](Session::step); a base optimizer without state has no momentum and is refused with
    /// [`Error::Planes`].
    pub fn step_with_momentum<T, E>(
        &mut self,
        groups: &[Group<R>],
        model: &mut T,
        gradient: impl FnOnce(&mut T, Point) -> Result<(), E>,
    ) -> Result<StepReport<R>, E>
    where
        E: From<Error>,
        T: Segments<R> + ?Sized,
    {
        let ascended = self.ascend_with_momentum(groups, model)?;
        finish_step(ascended, gradient)
    }

    /// The first half of a step: measures the model's gradients, perturbs its parameters and stores
    /// memory. Then write the second gradient through [`Ascended::model`].
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::Planes`], [`Error::UnknownGroup`], [`Error::StillPerturbed`] and
    /// [`Error::Hyperparameter`] for a setting of the session: found before anything is written.
    /// [`Error::Visit`] where the second visit shows other segments than the first, and the errors of the
    /// second visit: parameters are restored and counters unmoved, memory may be renewed.
    pub fn ascend<'s, T: Segments<R> + ?Sized>(
        &'s mut self,
        groups: &'s [Group<R>],
        model: &'s mut T,
    ) -> Result<Ascended<'s, R, V, B, T>, Error> {
        self.ascend_along(Slope::Gradient, groups, model)
    }

    /// The first half of a step of a one-gradient method: as [`ascend`](Session::ascend), along the base
    /// optimizer's first state plane.
    ///
    /// # Errors
    /// As [`ascend`](Session::ascend); [`Error::Planes`] for a base optimizer without state.
    pub fn ascend_with_momentum<'s, T: Segments<R> + ?Sized>(
        &'s mut self,
        groups: &'s [Group<R>],
        model: &'s mut T,
    ) -> Result<Ascended<'s, R, V, B, T>, Error> {
        self.ascend_along(Slope::Momentum, groups, model)
    }

    /// A step of the base optimizer alone, with the gradient in
    /// [`perturbed_grads`](SegmentMut::perturbed_grads): plain training, or a step between two ascents
    /// (LookSAM). The gradient is judged, clipped and unscaled as in a whole step;
    /// [`Outcome::NonFinite`] changed nothing.
    ///
    /// # Errors
    /// As [`ascend`](Session::ascend) before anything is written; afterwards as [`Ascended::descend`].
    pub fn descend<T: Segments<R> + ?Sized>(
        &mut self,
        groups: &[Group<R>],
        model: &mut T,
    ) -> Result<Outcome, Error> {
        self.check()?;
        self.kept.begin();
        let (mut seen, mut still) = (Seen::nothing(self.kept.step), Perturbed::NONE);
        visit(model, |mut segment| {
            seen.add(&mut segment);
            still.add(*segment.mark);
            Ok(())
        })?;
        still.check()?;
        self.judge_and_descend(groups, model, seen)
    }

    fn ascend_along<'s, T: Segments<R> + ?Sized>(
        &'s mut self,
        slope: Slope,
        groups: &'s [Group<R>],
        model: &'s mut T,
    ) -> Result<Ascended<'s, R, V, B, T>, Error> {
        self.check()?;
        self.kept.begin();
        let unscale = if slope == Slope::Gradient { self.unscale() } else { R::ONE };
        let before = Armed { unscale, ..Armed::new(self.cpu, self.rule_state) };
        let Measured { norm, uncounted, seen } = self.measure(before, slope, groups, model)?;
        let mut rule_state = self.rule_state;
        let ascent = self.judge_first(slope, &norm, &uncounted, &mut rule_state)?;
        // From here on, dropping `ascended` restores what was perturbed: an error or a panic in the
        // visit leaves w as it was.
        let mut ascended = Ascended { session: self, groups, model, ascent, seen };
        ascended.session.kept.first = 0;
        if ascent.outcome != Outcome::NonFinite {
            ascended.perturb(before, slope)?;
            ascended.session.rule_state = rule_state;
        }
        Ok(ascended)
    }

    /// Checks every segment and sums over the counted ones, and apart over those that are perturbed all
    /// the same: their memory must not meet a gradient that is not finite either. Writes nothing.
    fn measure<T: Segments<R> + ?Sized>(
        &self,
        before: Armed<R>,
        slope: Slope,
        groups: &[Group<R>],
        model: &mut T,
    ) -> Result<Measured<R>, Error> {
        let (mut norm, mut uncounted) = (PartialNorm::new(), PartialNorm::new());
        let (mut seen, mut still) = (Seen::nothing(self.kept.step), Perturbed::NONE);
        let (counts, form) = (self.counts(), self.form);
        visit(model, |mut segment| {
            seen.add(&mut segment);
            still.add(*segment.mark);
            let group = counts.check(&segment, groups)?;
            if writes_spare(form, group.is_perturbed() || counts.remembers(group), segment.spare) {
                check_length("spare", segment.params.len(), segment.spare.len())?;
            }
            let state = segment.state.read();
            let grads = slope.of(segment.grads, &state)?;
            if self.is_unmoved(slope) {
                // The plane may hold anything before the first step.
            } else if group.counts_in_norm() {
                let at = Armed { operator: group.operator(), ..before };
                let (memory, inputs) = (segment.memory.read(), segment.inputs);
                let params = &*segment.params;
                self.variant.accumulate_norm(&at, params, grads, memory, inputs, &mut norm)?;
            } else if group.is_perturbed() {
                before.cpu.accumulate_gradient(before.unscale, grads, &mut uncounted)?;
            }
            Ok(())
        })?;
        still.check()?;
        Ok(Measured { norm, uncounted, seen })
    }

    /// The outcome of the norm pass; `state` becomes the one after the ascent.
    fn judge_first(
        &self,
        slope: Slope,
        norm: &PartialNorm<R>,
        uncounted: &PartialNorm<R>,
        state: &mut RuleState<R>,
    ) -> Result<Ascent<R>, Error> {
        if self.is_unmoved(slope) {
            return Ok(Ascent { outcome: Outcome::ZeroNorm, norm: ScaledNorm::of(Part::ZERO) });
        }
        if !uncounted.total()?.sum.is_finite() {
            let norm = ScaledNorm::of(norm.total()?);
            return Ok(Ascent { outcome: Outcome::NonFinite, norm });
        }
        self.variant.finish(norm, state)
    }

    /// Before the base optimizer's first step there is no momentum, whatever the plane holds: no ascent, and
    /// nothing to remember.
    fn is_unmoved(&self, slope: Slope) -> bool {
        slope == Slope::Momentum && self.base_state.steps == 0
    }
}

impl<R: Real, V: DynVariant<R>, B: DynBase<R>, T: Segments<R> + ?Sized> Ascended<'_, R, V, B, T> {
    /// Perturbs the perturbed segments, marking them in place, and renews the memory of all that count.
    fn perturb(&mut self, before: Armed<R>, slope: Slope) -> Result<(), Error> {
        let (ascent, groups) = (self.ascent, self.groups);
        let (counts, unmoved) = (self.session.counts(), self.session.is_unmoved(slope));
        let Session { ref variant, form, length, ref mut kept, .. } = *self.session;
        let mut now = self.seen.again();
        visit(self.model, |segment| {
            now.check(&segment)?;
            let group = group_of(groups, segment.group)?;
            let at = Armed { operator: group.operator(), ..before };
            let scale = ascent.scale(group.rho(), length)?;
            let scale = Scale { remember: scale.remember && !unmoved, ..scale };
            let SegmentMut { params, grads, spare, memory, inputs, state, mark, .. } = segment;
            let state = state.read();
            let planes = Ascending { grads: slope.of(grads, &state)?, memory, inputs };
            let (moves, remembers) = (group.is_perturbed(), counts.remembers(group) && !unmoved);
            if moves && form == Form::InPlace {
                variant.ascend_in_place(&at, scale, params, planes, spare)?;
                *mark = mark.perturbed(kept.perturbed);
                kept.perturbed = kept.perturbed.saturating_add(1);
            } else if moves {
                variant.ascend(&at, scale, params, planes, spare)?;
            } else if writes_spare(form, remembers, spare) {
                let scale = Scale { scale: R::ZERO, remember: remembers, ..scale };
                variant.ascend(&at, scale, params, planes, spare)?;
            }
            Ok(())
        })?;
        now.end()
    }
}

impl<R: Real, V, B> Session<R, V, B> {
    /// Brings back what an earlier step left perturbed ([`Error::StillPerturbed`]); how many that were.
    ///
    /// # Errors
    /// [`Error::Length`] where parameters or backup have another length than when they were perturbed, and
    /// those of the visit.
    pub fn restore<T: Segments<R> + ?Sized>(&mut self, model: &mut T) -> Result<usize, Error> {
        let (mut restored, kept) = (0, &mut self.kept);
        restore(self.cpu, model, &mut |number| {
            kept.restored(number);
            restored += 1;
        })?;
        Ok(restored)
    }
}

/// What the norm pass found.
struct Measured<R> {
    norm: PartialNorm<R>,
    uncounted: PartialNorm<R>,
    seen: Seen,
}

/// Whether the ascent writes the spare of a segment: where it must, and out of place wherever there is
/// one, so that the spares are the whole perturbed point.
fn writes_spare<R>(form: Form, must: bool, spare: &[R]) -> bool {
    must || (form == Form::OutOfPlace && !spare.is_empty())
}

/// The second gradient, unless the first was not finite, and the descent.
fn finish_step<R, V, B, T, E>(
    mut ascended: Ascended<'_, R, V, B, T>,
    gradient: impl FnOnce(&mut T, Point) -> Result<(), E>,
) -> Result<StepReport<R>, E>
where
    R: Real,
    V: DynVariant<R>,
    B: DynBase<R>,
    T: Segments<R> + ?Sized,
    E: From<Error>,
{
    if ascended.ascent.outcome != Outcome::NonFinite {
        gradient(ascended.model(), Point::Perturbed)?;
    }
    Ok(ascended.descend()?)
}

impl Slope {
    fn of<'a, R>(self, grads: &'a [R], state: &Planes<'a, R>) -> Result<&'a [R], Error> {
        match self {
            Self::Gradient => Ok(grads),
            Self::Momentum => {
                let missing = Error::Planes { planes: "state", expected: 1, found: 0 };
                state.iter().next().ok_or(missing)
            }
        }
    }
}
