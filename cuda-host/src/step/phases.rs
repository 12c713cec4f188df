//! The phases of a [`DeviceStep`]: what each of them launches, in order.

use std::mem::offset_of;

use presam::RuleState;
use presam_kernels::Kernel;
use presam_kernels::entries;
use presam_kernels::fold::LEAVES;
use presam_kernels::layout::{BaseCounters, Control, Segment, outcome};

use super::DeviceStep;
use super::rows::pick;
use crate::device::Device;
use crate::error::DeviceError;
use crate::options::Form;

impl DeviceStep {
    /// The first half: [`accumulate`](DeviceStep::accumulate), then [`perturb`](DeviceStep::perturb).
    ///
    /// # Errors
    /// As theirs.
    pub fn ascend(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.accumulate(device)?;
        self.perturb(device)
    }

    /// The norm pass and its end: norm, outcome and counters, and every group's scale.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] while w is perturbed in place; as [`Device::launch`].
    pub fn accumulate(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        let accumulate = pick(self.variant_kernels.accumulate, self.is_mixed);
        self.check_at_rest(device, accumulate.name)?;
        if self.uncounted.count() > 0 {
            let unscale = self.control + offset_of!(Control, unscale) as u64;
            let grads = offset_of!(Segment, grads) as u64;
            self.uncounted.launch(
                device,
                pick(GRADIENTS, self.is_mixed),
                &[self.parts, unscale, grads],
            )?;
            let out = self.control + offset_of!(Control, uncounted) as u64;
            self.fold(device, self.uncounted.parts(), &entries::total, &[out])?;
        }
        let arguments = [self.parts, self.control, self.variant, self.groups];
        self.counted.launch(device, accumulate, &arguments)?;
        self.fold(
            device,
            self.counted.parts(),
            self.variant_kernels.finish,
            &[self.control, self.variant, self.groups, self.group_count, self.counted_elements],
        )?;
        self.arming.armed(device)
    }

    /// Perturbation and memory, by the scales that the last [`accumulate`](DeviceStep::accumulate) left.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] in place, where w is perturbed already and a second backup would be of that; as
    /// [`Device::launch`]; the ascent is then not counted, and begins again with `accumulate`.
    pub fn perturb(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        let ascend = match self.form {
            Form::OutOfPlace | Form::Mixed => self.variant_kernels.ascend,
            Form::InPlace => self.variant_kernels.ascend_in_place,
        };
        let ascend = pick(ascend, self.is_mixed);
        self.check_at_rest(device, ascend.name)?;
        let arguments = [self.control, self.variant, self.groups];
        let done = self.moved.launch(device, ascend, &arguments);
        if done.is_ok() && self.moved.count() > 0 {
            self.stage.perturbed();
        }
        let places = [offset_of!(Control, rule_before), offset_of!(Control, rule_state)];
        self.counted_if(device, done, places, size_of::<RuleState<f32>>())
    }

    /// Brings w back after an ascent in place, and what the model reads in the mixed form; out of place, and in place
    /// where w is at rest and its backup may be older, there is nothing to bring back.
    ///
    /// # Errors
    /// As [`Device::launch`].
    pub fn restore(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        match self.form {
            Form::OutOfPlace => Ok(()),
            Form::InPlace if !self.may_be_perturbed(device)? => Ok(()),
            Form::InPlace => {
                self.moved.launch(device, pick(RESTORES, self.is_mixed), &[])?;
                self.stage.restored();
                Ok(())
            }
            Form::Mixed => self.all.launch(device, pick(RESTORES, true), &[]),
        }
    }

    /// The second half: [`judge`](DeviceStep::judge), then [`take`](DeviceStep::take).
    ///
    /// # Errors
    /// As theirs, before a launch where w is perturbed in place; the descent is then not counted.
    pub fn descend(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.check_at_rest(device, pick(self.base_kernels.descend, self.is_mixed).name)?;
        self.judge(device)?;
        self.take(device)
    }

    /// Judges g~, and counts the step if it is to be taken (where nobody looks at g~, the descent counts it); who then does not [`take`](DeviceStep::take) it, because
    /// something between was refused, calls [`uncount`](DeviceStep::uncount).
    ///
    /// # Errors
    /// As [`Device::launch`].
    pub fn judge(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        // What nobody looks at is armed already, and the descent counts it: but for one that launches nothing.
        if !self.checked && self.all.count() > 0 && self.arming.holds(device)? {
            return Ok(());
        }
        let mut parts = 0;
        if self.checked {
            let unscale = self.control + offset_of!(Control, unscale_second) as u64;
            let second = offset_of!(Segment, perturbed_grads) as u64;
            let arguments = [self.parts, unscale, second];
            self.all.launch(device, pick(GRADIENTS, self.is_mixed), &arguments)?;
            parts = self.all.parts();
        }
        let arguments = [self.control, self.bases, u64::from(self.checked)];
        self.fold(device, parts, self.base_kernels.second, &arguments)
    }

    /// Lets the base optimizer step on w along what stands as the second gradient now, if the last
    /// [`judge`](DeviceStep::judge) has found no reason against it: decoupled WSAM judges g~ and steps along g.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] while w is perturbed in place, and the step stays counted: [`restore`](DeviceStep::restore)
    /// and take it; as [`Device::launch`]; the descent is then not counted.
    pub fn take(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        let descend = pick(self.base_kernels.descend, self.is_mixed);
        self.check_at_rest(device, descend.name)?;
        let done = self.all.launch(device, descend, &[self.control, self.bases]);
        self.arming.used();
        self.counted_if(device, done, BASE_COUNTERS, size_of::<BaseCounters>())
    }

    /// Queues the base optimizer's counters from before the last [`judge`](DeviceStep::judge), whose step is not taken.
    ///
    /// # Errors
    /// As [`Device::copy`].
    pub fn uncount(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.go_back(device, BASE_COUNTERS, size_of::<BaseCounters>())
    }

    /// Counters move where the tree is folded, before the pass that they count: where that was not launched, they go
    /// back to what they were.
    fn counted_if(
        &self,
        device: &mut dyn Device,
        done: Result<(), DeviceError>,
        places: [usize; 2],
        bytes: usize,
    ) -> Result<(), DeviceError> {
        done.inspect_err(|_| {
            // A device that does not take this either is lost, and the counters with it.
            let _ = self.go_back(device, places, bytes);
        })
    }

    fn go_back(
        &self,
        device: &mut dyn Device,
        [before, counters]: [usize; 2],
        bytes: usize,
    ) -> Result<(), DeviceError> {
        device.copy(self.control + counters as u64, self.control + before as u64, bytes)
    }

    /// For a step without an ascent (the base optimizer alone, LookSAM between its second gradients):
    /// forgets the outcome of the last one. Then [`descend`](DeviceStep::descend).
    ///
    /// # Errors
    /// [`DeviceError::Contract`] while w is perturbed in place; as [`Device::fill`].
    pub fn skip_ascent(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.check_at_rest(device, pick(self.base_kernels.descend, self.is_mixed).name)?;
        let at = |offset: usize| self.control + offset as u64;
        device.fill(at(offset_of!(Control, outcome)), outcome::FINITE, 1)?;
        if self.checked {
            return Ok(());
        }
        // What `finish` would have armed.
        let [before, counters] = BASE_COUNTERS.map(at);
        device.copy(before, counters, size_of::<BaseCounters>())?;
        device.fill(at(offset_of!(Control, descends)), 1, 1)?;
        device.fill(at(offset_of!(Control, second)), outcome::FINITE, 1)?;
        let factor = at(offset_of!(Control, grad_factor));
        device.copy(factor, at(offset_of!(Control, unscale_second)), size_of::<f32>())?;
        self.arming.armed(device)
    }

    /// The tree over the first `count` parts, concluded by `kernel`.
    fn fold(
        &self,
        device: &mut dyn Device,
        count: u32,
        kernel: &'static Kernel,
        arguments: &[u64],
    ) -> Result<(), DeviceError> {
        let tree = [self.parts, u64::from(count), self.results, self.counter];
        device.launch(kernel, count.div_ceil(LEAVES).max(1), &[&tree, arguments].concat())
    }
}

/// The base optimizer's counters in the block, from before the last judged step and now.
const BASE_COUNTERS: [usize; 2] =
    [offset_of!(Control, base_before), offset_of!(Control, base_state)];
/// The sum over one gradient, and what brings parameters back: over planes of `f32`, and over any.
const GRADIENTS: [&Kernel; 2] =
    [&entries::accumulate_gradient, &entries::accumulate_gradient_mixed];
const RESTORES: [&Kernel; 2] = [&entries::restore, &entries::restore_mixed];
