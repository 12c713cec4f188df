//! The second half of a step: the second gradient is judged, then the base optimizer steps.

use super::mark::Mark;
use super::segment::{SegmentMut, Segments};
use super::settings::{SecondGradient, Session};
use super::visit::{Counts, Seen, group_of, visit};
use crate::clip::clip_factor;
use crate::erased::{ArmedBase, DynBase, DynVariant};
use crate::error::Error;
use crate::group::Group;
use crate::norm::PartialNorm;
use crate::outcome::Outcome;
use crate::real::Real;

impl<R: Real, V: DynVariant<R>, B: DynBase<R>> Session<R, V, B> {
    pub(super) fn counts(&self) -> Counts {
        let planes = self.variant.planes();
        Counts { memory: planes.memory, inputs: planes.inputs, state: self.base.state_planes() }
    }

    /// One descent with the model's second gradient, unless that is not finite. The counters move once
    /// every segment that the step saw has stepped.
    pub(super) fn judge_and_descend<T: Segments<R> + ?Sized>(
        &mut self,
        groups: &[Group<R>],
        model: &mut T,
        seen: Seen,
    ) -> Result<Outcome, Error> {
        let (factor, outcome) = self.judge(groups, model, seen)?;
        if outcome == Outcome::NonFinite {
            return Ok(outcome);
        }
        let (cpu, state, learning_rate) = (self.cpu, self.base_state, self.learning_rate);
        let (base, grad_factor) = (&self.base, self.unscale() * factor);
        let mut now = seen.again();
        visit(model, |segment| {
            now.check(&segment)?;
            let weight_decay = group_of(groups, segment.group)?.weight_decay();
            let at = ArmedBase { cpu, state, learning_rate, weight_decay };
            let SegmentMut { params, perturbed_grads, state, mark, .. } = segment;
            base.descend(&at, grad_factor, params, perturbed_grads, state)?;
            // A tensor that is shown twice has no place the second time.
            *mark = Mark::default();
            Ok(())
        })?;
        now.end()?;
        self.base_state = self.base.advance(&state);
        Ok(outcome)
    }

    /// The factor that clips the second gradient, and what its numbers did. Writes nothing.
    fn judge<T: Segments<R> + ?Sized>(
        &self,
        groups: &[Group<R>],
        model: &mut T,
        seen: Seen,
    ) -> Result<(R, Outcome), Error> {
        let (cpu, unscale, counts) = (self.cpu, self.unscale(), self.counts());
        let checked = self.second != SecondGradient::Unchecked;
        let (mut norm, mut now) = (PartialNorm::new(), seen.again());
        visit(model, |segment| {
            now.check(&segment)?;
            counts.check(&segment, groups)?;
            if checked {
                cpu.accumulate_gradient(unscale, segment.perturbed_grads, &mut norm)?;
            }
            Ok(())
        })?;
        now.end()?;
        match self.second {
            SecondGradient::Unchecked => Ok((R::ONE, Outcome::Finite)),
            SecondGradient::Checked => clip_factor(&norm, R::INFINITY),
            SecondGradient::Clipped(max_norm) => clip_factor(&norm, max_norm),
        }
    }
}
