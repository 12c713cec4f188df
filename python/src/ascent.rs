//! The first half of a step: every gradient is measured, one decision is made, then tensors are perturbed.

use presam::{
    AnyReal, Armed, Ascending, Ascent, DynVariant, Outcome, PartialNorm, Planes, PlanesMut,
    RuleState, Scale, ScaledNorm,
};
use presam_bridge::{Fault, Settings};

use crate::engine::Engine;
use crate::slices::Region;

/// What an ascent follows.
#[derive(Clone, Copy)]
pub(crate) struct Slope<R> {
    /// Multiplies every entry: the inverse of the loss scale.
    pub unscale: R,
    /// A momentum, whose sign is right already.
    pub momentum: bool,
}

impl<R: AnyReal> Slope<R> {
    fn factor(self, group: &Settings<R>) -> R {
        if self.momentum { R::ONE } else { group.sign * self.unscale }
    }
}

/// What the norm pass found, to be decided upon.
pub(crate) struct Measured<R> {
    pub ascent: Ascent<R>,
    state: RuleState<R>,
}

impl<R: AnyReal> Engine<R> {
    /// Sums over the counted tensors, and apart over those whose first gradient is used all the same: neither their
    /// memory nor a descent along it must meet one that is not finite. Writes nothing.
    pub fn measure(&mut self, grads: &[Region<R>], slope: Slope<R>) -> Result<Measured<R>, Fault> {
        self.at_rest()?;
        let (mut norm, mut uncounted) = (PartialNorm::new(), PartialNorm::new());
        let (cpu, variant, before) = (self.cpu, self.variant, self.rule_state);
        for (tensor, &grads) in present(&mut self.tensors, grads) {
            let group = of(&self.groups, tensor.group)?;
            let unscale = slope.factor(group);
            if group.group.counts_in_norm() {
                let at =
                    Armed { operator: group.group.operator(), unscale, ..Armed::new(cpu, before) };
                let mut planes = tensor.row.ascent(grads)?;
                let memory = PlanesMut::of(planes.memory.get_mut());
                let inputs = Planes::of(planes.inputs.get());
                let (params, grads) = (&*planes.params, planes.grads);
                variant.accumulate_norm(&at, params, grads, memory.read(), inputs, &mut norm)?;
            } else if group.group.is_perturbed() || self.descent.takes_first() {
                let grads = tensor.row.gradient(grads);
                cpu.accumulate_gradient(unscale, grads, &mut uncounted)?;
            }
        }
        let mut state = before;
        let mut ascent = variant.finish(&norm, &mut state)?;
        if !uncounted.total()?.sum.is_finite() {
            ascent = Ascent { outcome: Outcome::NonFinite, norm: ScaledNorm::of(norm.total()?) };
        }
        Ok(Measured { ascent, state })
    }

    /// Perturbs what is to be perturbed and renews the memory of all that count. After an error the
    /// parameters are what they were.
    pub fn perturb(
        &mut self,
        grads: &[Region<R>],
        slope: Slope<R>,
        measured: &Measured<R>,
    ) -> Result<(), Fault> {
        let done = self.perturb_each(grads, slope, measured.ascent);
        if done.is_err() {
            self.restore()?;
        } else {
            self.rule_state = measured.state;
        }
        done
    }

    fn perturb_each(
        &mut self,
        grads: &[Region<R>],
        slope: Slope<R>,
        ascent: Ascent<R>,
    ) -> Result<(), Fault> {
        let (cpu, variant, before, length) = (self.cpu, self.variant, self.rule_state, self.length);
        let has_memory = variant.planes().memory > 0;
        for (tensor, &grads) in present(&mut self.tensors, grads) {
            let group = of(&self.groups, tensor.group)?;
            let unscale = slope.factor(group);
            let at = Armed { operator: group.group.operator(), unscale, ..Armed::new(cpu, before) };
            let scale = ascent.scale(group.group.rho(), length)?;
            let mut planes = tensor.row.ascent(grads)?;
            let memory = PlanesMut::of(planes.memory.get_mut());
            let inputs = Planes::of(planes.inputs.get());
            let along = Ascending { grads: planes.grads, memory, inputs };
            if group.group.is_perturbed() {
                variant.ascend_in_place(&at, scale, planes.params, along, planes.backup)?;
                tensor.perturbed = true;
            } else if has_memory && group.group.counts_in_norm() {
                let scale = Scale { scale: R::ZERO, ..scale };
                variant.ascend(&at, scale, planes.params, along, planes.backup)?;
            }
        }
        Ok(())
    }
}

/// The tensors that take part, with their gradients.
pub(crate) fn present<'a, T, R: presam::Real>(
    tensors: &'a mut [T],
    grads: &'a [Region<R>],
) -> impl Iterator<Item = (&'a mut T, &'a Region<R>)> {
    tensors.iter_mut().zip(grads).filter(|(_, grads)| !grads.is_empty())
}

/// The group of that index.
pub(crate) fn of<R>(groups: &[Settings<R>], index: usize) -> Result<&Settings<R>, Fault> {
    let (expected, found) = (groups.len(), index);
    groups.get(index).ok_or_else(|| {
        Fault::new(format!("group: expected an index below {expected}, found {found}"))
    })
}
