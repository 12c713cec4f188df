//! The second half of a step: both gradients are mixed, the result is judged, the base optimizer steps.

use presam::{
    AnyReal, ArmedBase, BaseState, Cpu, DynBase, GradientMix, Outcome, PartialNorm, PlanesMut,
    clip_factor,
};
use presam_bridge::{Descent, Fault};

use crate::ascent::{of, present};
use crate::engine::Engine;
use crate::slices::{Block, Region};

impl<R: AnyReal> Engine<R> {
    /// Keeps the first gradient where the method mixes; of a tensor that takes no part it is zero.
    pub fn keep_first(&mut self, grads: &[Region<R>]) -> Result<(), Fault> {
        if matches!(self.descent, Descent::Plain) {
            return Ok(());
        }
        for (tensor, &grads) in self.tensors.iter_mut().zip(grads) {
            let (first, grads) = tensor.row.first(grads)?;
            if grads.is_empty() {
                first.fill(R::ZERO);
            } else if !first.is_empty() {
                first.copy_from_slice(grads);
            }
        }
        Ok(())
    }

    /// Writes what is descended along over the second gradient, where the method mixes.
    pub fn mix(&mut self, descent: Descent<R>, grads: &[Region<R>]) -> Result<(), Fault> {
        match descent {
            Descent::Gsam(gsam) => {
                let mut sums = PartialNorm::new();
                for (tensor, &grads) in present(&mut self.tensors, grads) {
                    let (first, second) = tensor.row.mixed(grads)?;
                    self.cpu.accumulate_pair(second, first, &mut sums)?;
                }
                let (mix, _) = gsam.arm(&sums)?;
                self.write_mix(mix, grads)
            }
            Descent::Wsam(wsam) => self.write_mix(wsam, grads),
            Descent::Saner(saner) => self.write_mix(saner, grads),
            Descent::Plain | Descent::Decoupled(_) | Descent::LookSam(_) => Ok(()),
        }
    }

    fn write_mix(&mut self, mix: impl GradientMix<R>, grads: &[Region<R>]) -> Result<(), Fault> {
        refuse_shared(grads)?;
        for (tensor, &grads) in present(&mut self.tensors, grads) {
            let (first, second) = tensor.row.mixed(grads)?;
            self.cpu.mix_gradients(mix, first, second)?;
        }
        Ok(())
    }

    /// The factor that clips the gradient, and what its numbers did. Writes nothing.
    pub fn judge(
        &mut self,
        grads: &[Region<R>],
        unscale: R,
        max_norm: R,
    ) -> Result<(R, Outcome), Fault> {
        let mut norm = PartialNorm::new();
        for (tensor, &grads) in present(&mut self.tensors, grads) {
            self.cpu.accumulate_gradient(unscale, tensor.row.gradient(grads), &mut norm)?;
        }
        Ok(clip_factor(&norm, max_norm)?)
    }

    /// Keeps LookSAM's sharp part of the second gradient.
    pub fn keep_sharp(&mut self, descent: Descent<R>, grads: &[Region<R>]) -> Result<(), Fault> {
        let Descent::LookSam(look) = descent else { return Ok(()) };
        let mut sums = PartialNorm::new();
        for (tensor, &grads) in present(&mut self.tensors, grads) {
            let (_, first, second) = tensor.row.kept(grads)?;
            self.cpu.accumulate_pair(first, second, &mut sums)?;
        }
        let (split, _) = look.split(&sums)?;
        for (tensor, &grads) in present(&mut self.tensors, grads) {
            let (kept, first, second) = tensor.row.kept(grads)?;
            kept.copy_from_slice(second);
            self.cpu.mix_gradients(split, first, kept)?;
        }
        Ok(())
    }

    /// The first gradient with LookSAM's sharp part, over the backups: what a step without a second
    /// gradient descends along.
    pub fn reuse_sharp(&mut self, grads: &[Region<R>]) -> Result<Vec<Region<R>>, Fault> {
        self.at_rest()?;
        let Descent::LookSam(look) = self.descent else {
            return Err(Fault::new("reuse: expected the descent look-sam".into()));
        };
        let (mut norm, mut kept_norm) = (PartialNorm::new(), PartialNorm::new());
        for (tensor, &grads) in present(&mut self.tensors, grads) {
            let (_, kept, grads) = tensor.row.scratch(grads)?;
            self.cpu.accumulate_gradient(R::ONE, grads, &mut norm)?;
            self.cpu.accumulate_gradient(R::ONE, kept, &mut kept_norm)?;
        }
        let (reuse, _) = look.reuse(&norm, &kept_norm)?;
        let mut mixed = vec![Region::EMPTY; grads.len()];
        for ((tensor, &grads), mixed) in self.tensors.iter_mut().zip(grads).zip(&mut mixed) {
            if grads.is_empty() {
                continue;
            }
            let (scratch, kept, grads) = tensor.row.scratch(grads)?;
            scratch.copy_from_slice(kept);
            self.cpu.mix_gradients(reuse, grads, scratch)?;
            *mixed = tensor.row.scratch_region();
        }
        Ok(mixed)
    }

    /// The base optimizer's step along `factor` times the gradients.
    pub fn descend(
        &mut self,
        descent: Descent<R>,
        grads: &[Region<R>],
        factor: R,
    ) -> Result<(), Fault> {
        let cpu = self.cpu;
        for (tensor, &second) in present(&mut self.tensors, grads) {
            let group = of(&self.groups, tensor.group)?;
            let Some(base) = group.base else { continue };
            let along = match descent {
                Descent::Decoupled(_) => tensor.row.first_region(),
                _ => second,
            };
            let factor = group.sign * factor;
            let planes = tensor.row.descent(along)?;
            step(cpu, &base, &mut tensor.base_state, factor, planes)?;
            if let Descent::Decoupled(wsam) = descent {
                let correction = wsam.correction(group.learning_rate * factor);
                let (params, first, second) = tensor.row.correction(second)?;
                cpu.correct(correction, params, first, second)?;
            }
        }
        Ok(())
    }

    /// Multiplies every gradient, for a base optimizer of the caller's own.
    pub fn multiply(&mut self, grads: &[Region<R>], factor: R) -> Result<(), Fault> {
        if factor == R::ONE {
            return Ok(());
        }
        refuse_shared(grads)?;
        for (tensor, &grads) in present(&mut self.tensors, grads) {
            let (_, grads) = tensor.row.mixed(grads)?;
            for grad in grads {
                *grad *= factor;
            }
        }
        Ok(())
    }
}

/// Whatever is written over gradients would be written twice where two of them are one.
fn refuse_shared<R: AnyReal>(grads: &[Region<R>]) -> Result<(), Fault> {
    if Block::of(grads.iter().copied()).overlaps_itself() {
        let words = "two gradients share memory, and this method writes over them: expected a copy for each";
        return Err(Fault::new(words.into()));
    }
    Ok(())
}

fn step<R: AnyReal>(
    cpu: Cpu,
    base: &impl DynBase<R>,
    state: &mut BaseState,
    factor: R,
    mut planes: crate::slices::DescentSlices<'_, R>,
) -> Result<(), Fault> {
    let at = ArmedBase::new(cpu, *state);
    let list = PlanesMut::of(planes.state.get_mut());
    base.descend(&at, factor, planes.params, planes.grads, list)?;
    *state = base.advance(state);
    Ok(())
}
