//! The settings of a [`DeviceStep`]: written once, and queued anew between steps.

use std::mem::offset_of;

use presam::{AnyBase, BaseState, DynBase, Group};
use presam_kernels::layout::{Control, GroupScale};

use super::DeviceStep;
use super::rows::{base_rows, bases_of, check_max_norm, check_unscale, pick, unscale_of};
use crate::device::Device;
use crate::error::DeviceError;

impl DeviceStep {
    /// Queues another configuration of the base optimizer: what a schedule of the learning rate needs.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for another kind of optimizer or another number of groups than the step was
    /// made with; [`DeviceError::Rule`] for a rate or decay out of range; as [`Device::fill`].
    pub fn set_base(
        &self,
        device: &mut dyn Device,
        base: AnyBase<f32>,
        groups: &[Group<f32>],
    ) -> Result<(), DeviceError> {
        self.set_bases(device, &bases_of(base, groups)?)
    }

    /// Queues a configuration of the base optimizer for each group.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for another kind of optimizer or another number of groups than the step was
    /// made with, and for decays that differ where the powers of them are kept (AdamW's): all groups share those; as
    /// [`Device::fill`].
    pub fn set_bases(
        &self,
        device: &mut dyn Device,
        bases: &[AnyBase<f32>],
    ) -> Result<(), DeviceError> {
        let refuse = |what: String, expected: String, found: String| {
            let kernel = pick(self.base_kernels.descend, self.is_mixed).name;
            Err(DeviceError::Contract { kernel, what, expected, found })
        };
        if bases.len() as u64 != self.group_count {
            let (expected, found) = (self.group_count.to_string(), bases.len().to_string());
            return refuse("groups".into(), expected, found);
        }
        let (own, start) = (self.base_kernels.base, BaseState::new());
        for (group, base) in bases.iter().enumerate() {
            let other = base.about().name;
            if own != other {
                return refuse("base optimizer".into(), own.into(), other.into());
            }
            let [first, powers] = [&bases[0], base].map(|base| base.advance(&start).decay_powers);
            if first != powers {
                let (expected, found) =
                    (format!("{first:?}, as of group 0"), format!("{powers:?}"));
                return refuse(format!("decays of group {group}"), expected, found);
            }
        }
        if bases.is_empty() { Ok(()) } else { device.set(self.bases, &base_rows(bases)) }
    }

    /// Queues another radius for a group.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for a group that there is not; [`DeviceError::Rule`] for a radius out of
    /// range; as [`Device::fill`].
    pub fn set_rho(
        &self,
        device: &mut dyn Device,
        group: usize,
        rho: f32,
    ) -> Result<(), DeviceError> {
        let rho = Group::new(rho)?.rho();
        if group as u64 >= self.group_count {
            return Err(DeviceError::Contract {
                kernel: self.variant_kernels.finish.name,
                what: "group".into(),
                expected: format!("one of {} groups", self.group_count),
                found: group.to_string(),
            });
        }
        let row = self.groups + (group * size_of::<GroupScale>()) as u64;
        device.fill(row + offset_of!(GroupScale, rho) as u64, rho.to_bits(), 1)
    }

    /// Queues another loss scale: that of the gradients from the next [`ascend`](DeviceStep::ascend) on.
    ///
    /// # Errors
    /// [`DeviceError::Rule`] for a scale out of range; as [`Device::fill`].
    pub fn set_loss_scale(
        &self,
        device: &mut dyn Device,
        loss_scale: f32,
    ) -> Result<(), DeviceError> {
        self.set_unscale(device, unscale_of(loss_scale)?)
    }

    /// Queues another factor of both gradients, the inverse of a loss scale: for who has it rounded already.
    ///
    /// # Errors
    /// [`DeviceError::Rule`] for a factor that no scale has; as [`Device::fill`].
    pub fn set_unscale(&self, device: &mut dyn Device, unscale: f32) -> Result<(), DeviceError> {
        check_unscale(unscale)?;
        let at = |offset: usize| self.control + offset as u64;
        if !self.along_momentum {
            device.fill(at(offset_of!(Control, unscale)), unscale.to_bits(), 1)?;
        }
        if !self.checked {
            // Of a descent that is armed already too.
            device.fill(at(offset_of!(Control, grad_factor)), unscale.to_bits(), 1)?;
        }
        device.fill(at(offset_of!(Control, unscale_second)), unscale.to_bits(), 1)
    }

    /// Queues another norm that the second gradient is clipped to; infinity clips nothing.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for a step that was made with
    /// [`SecondGradient::Unchecked`](presam::SecondGradient::Unchecked) and takes no
    /// norm; [`DeviceError::Rule`] for one out of range; as [`Device::fill`].
    pub fn set_max_norm(&self, device: &mut dyn Device, max_norm: f32) -> Result<(), DeviceError> {
        check_max_norm(max_norm)?;
        if !self.checked {
            return Err(DeviceError::Contract {
                kernel: self.base_kernels.second.name,
                what: "max_norm".into(),
                expected: "a step that looks at its second gradient".into(),
                found: "SecondGradient::Unchecked".into(),
            });
        }
        let at = self.control + offset_of!(Control, max_norm) as u64;
        device.fill(at, max_norm.to_bits(), 1)
    }
}
