//! [`Ascended`]: a model at its perturbed point, and the way back.

use crate::session::{SecondGradient, Session, StepReport, group_of};
use crate::{
    Ascent, BaseOptimizer, Error, Group, Outcome, PartialNorm, Real, SegmentMut, Segments,
    clip_factor,
};

/// A model at its perturbed point. Dropped without a descent (an early return, a panic), it restores.
#[must_use = "dropping it restores the parameters and takes no step"]
pub struct Ascended<'s, R: Real, V, B, T, const M: usize, const I: usize, const S: usize>
where
    T: Segments<R, M, I, S>,
{
    pub(crate) session: &'s mut Session<R, V, B>,
    pub(crate) groups: &'s [Group<R>],
    pub(crate) model: &'s mut T,
    pub(crate) ascent: Ascent<R>,
    /// How many perturbed segments are not restored yet, in the order of the visits.
    pub(crate) perturbed: usize,
}

impl<R: Real, V, B, T, const M: usize, const I: usize, const S: usize>
    Ascended<'_, R, V, B, T, M, I, S>
where
    T: Segments<R, M, I, S>,
{
    /// The perturbed model: take the second gradient here.
    pub fn model(&mut self) -> &mut T {
        self.model
    }

    /// The norm and what became of it. After [`Outcome::NonFinite`] a second gradient is wasted.
    pub fn ascent(&self) -> Ascent<R> {
        self.ascent
    }

    /// Every segment that was perturbed back from its backup: the set depends on the ascent alone, never
    /// on the second gradient. A visit that fails leaves the count, so that dropping tries once more.
    fn restore(&mut self) -> Result<(), Error> {
        let (cpu, groups, mut left) = (self.session.cpu, self.groups, self.perturbed);
        if left == 0 {
            return Ok(());
        }
        self.model.visit(&mut |segment| {
            if left > 0 && group_of(groups, segment.group)?.is_perturbed() {
                cpu.restore(segment.params, segment.backup)?;
                left -= 1;
            }
            Ok(())
        })?;
        self.perturbed = 0;
        Ok(())
    }

    /// The second half of a step: restores every parameter, bit for bit, then lets the base optimizer
    /// step with the model's gradients, which are now those of the perturbed point.
    ///
    /// After a non-finite first or second gradient nothing is changed but the restored parameters;
    /// the variant's memory keeps the first gradient if that one was finite.
    ///
    /// # Errors
    /// Those of the model's own visits. A visit that fails while restoring is tried once more; one that
    /// fails during the base optimizer's step leaves the segments before it stepped.
    pub fn descend(mut self) -> Result<StepReport<R>, Error>
    where
        B: BaseOptimizer<R, S>,
    {
        self.restore()?;
        let ascent = self.ascent;
        if ascent.outcome == Outcome::NonFinite {
            return Ok(StepReport { ascent, second: Outcome::Finite, descended: false });
        }
        let Session { cpu, base, base_state, second, loss_scale, .. } = *self.session;
        let groups = self.groups;
        let unscale = R::ONE / loss_scale;
        let mut norm = PartialNorm::new();
        self.model.visit(&mut |segment| {
            segment.check(false)?;
            match second {
                SecondGradient::Unchecked => Ok(()),
                _ => cpu.accumulate_gradient(unscale, segment.grads, &mut norm),
            }
        })?;
        let (factor, outcome) = match second {
            SecondGradient::Unchecked => (R::ONE, Outcome::Finite),
            SecondGradient::Checked => clip_factor(&norm, R::INFINITY)?,
            SecondGradient::Clipped(max_norm) => clip_factor(&norm, max_norm)?,
        };
        if outcome == Outcome::NonFinite {
            return Ok(StepReport { ascent, second: outcome, descended: false });
        }
        self.model.visit(&mut |segment| {
            let base = match group_of(groups, segment.group)?.weight_decay() {
                Some(weight_decay) => base.with_weight_decay(weight_decay)?,
                None => base,
            };
            let SegmentMut { params, grads, state, .. } = segment;
            cpu.descend(base.arm(&base_state), unscale * factor, params, grads, state)
        })?;
        self.session.base_state = base.advance(&base_state);
        Ok(StepReport { ascent, second: outcome, descended: true })
    }
}

impl<R: Real, V, B, T, const M: usize, const I: usize, const S: usize> Drop
    for Ascended<'_, R, V, B, T, M, I, S>
where
    T: Segments<R, M, I, S>,
{
    fn drop(&mut self) {
        // A visitor that fails here failed before; there is nobody left to tell.
        let _ = self.restore();
    }
}
