//! The settings of a [`DeviceStep`]: written once, and queued anew between steps.

use std::mem::offset_of;

use presam::{Group, SecondGradient};
use presam_kernels::entries::BaseEntries;
use presam_kernels::layout::{BASE_BYTES, Control, GroupScale};
use presam_kernels::plain::word_of;

use super::{DeviceStep, Options};
use crate::{Device, DeviceError};

impl DeviceStep {
    /// Queues another configuration of the base optimizer: what a schedule of the learning rate needs.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for another kind of optimizer or another number of groups than the step was
    /// made with; [`DeviceError::Rule`] for a rate or decay out of range; as [`Device::fill`].
    pub fn set_base<B: BaseEntries<S>, const S: usize>(
        &self,
        device: &mut impl Device,
        base: B,
        groups: &[Group<f32>],
    ) -> Result<(), DeviceError> {
        let contract = |what: &str, expected: String, found: String| DeviceError::Contract {
            kernel: self.base_kernels.descend.name,
            what: what.into(),
            expected,
            found,
        };
        let (own, other) = (self.base_kernels.descend.name, B::KERNELS.descend.name);
        if own != other {
            let (expected, found) = (format!("the one of {own}"), format!("that of {other}"));
            return Err(contract("base optimizer", expected, found));
        }
        if groups.len() as u64 != self.group_count {
            let expected = self.group_count.to_string();
            return Err(contract("groups", expected, groups.len().to_string()));
        }
        // By value, word by word: host memory may be gone when a queued copy runs.
        for (i, &word) in bases_of(base, groups)?.iter().enumerate() {
            device.fill(self.bases + 4 * i as u64, word, 1)?;
        }
        let rate = self.control + offset_of!(Control, learning_rate) as u64;
        device.fill(rate, base.learning_rate().to_bits(), 1)
    }

    /// Queues another radius for a group.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for a group that there is not; [`DeviceError::Rule`] for a radius out of
    /// range; as [`Device::fill`].
    pub fn set_rho(
        &self,
        device: &mut impl Device,
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
        device: &mut impl Device,
        loss_scale: f32,
    ) -> Result<(), DeviceError> {
        let unscale = unscale_of(loss_scale)?;
        let at = |offset: usize| self.control + offset as u64;
        if !self.along_momentum {
            device.fill(at(offset_of!(Control, unscale)), unscale.to_bits(), 1)?;
        }
        device.fill(at(offset_of!(Control, unscale_second)), unscale.to_bits(), 1)
    }

    /// Queues another norm that the second gradient is clipped to; infinity clips nothing.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for a step that was made with [`SecondGradient::Unchecked`] and takes no
    /// norm; [`DeviceError::Rule`] for one out of range; as [`Device::fill`].
    pub fn set_max_norm(&self, device: &mut impl Device, max_norm: f32) -> Result<(), DeviceError> {
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

/// A group's row.
pub(super) fn scale_of(group: &Group<f32>) -> GroupScale {
    GroupScale {
        prescale: 1.0,
        scale: 0.0,
        remember: 0,
        rho: group.rho(),
        operator: u32::from(group.operator()),
        reserved: [0; 3],
    }
}

/// The base optimizer of each group, in rows of [`BASE_BYTES`].
pub(super) fn bases_of<B: BaseEntries<S>, const S: usize>(
    base: B,
    groups: &[Group<f32>],
) -> Result<Vec<u32>, DeviceError> {
    const { assert!(size_of::<B>() as u64 <= BASE_BYTES) };
    let words = BASE_BYTES as usize / 4;
    let mut rows = Vec::new();
    for group in groups {
        let base = match group.weight_decay() {
            Some(weight_decay) => base.with_weight_decay(weight_decay)?,
            None => base,
        };
        rows.extend((0..words).map(|i| word_of(&base, i)));
    }
    Ok(rows)
}

fn hyperparameter(name: &'static str, expected: &'static str, found: f32) -> DeviceError {
    DeviceError::Rule(presam::Error::Hyperparameter { name, expected, found: found.into() })
}

/// 1 / loss scale.
fn unscale_of(scale: f32) -> Result<f32, DeviceError> {
    if scale >= f32::MIN_POSITIVE && scale.is_finite() {
        Ok(1.0 / scale)
    } else {
        Err(hyperparameter("loss_scale", "a finite number > 0", scale))
    }
}

fn check_max_norm(max_norm: f32) -> Result<(), DeviceError> {
    if max_norm > 0.0 { Ok(()) } else { Err(hyperparameter("max_norm", "a number > 0", max_norm)) }
}

/// The block before the first step.
pub(super) fn first_control(options: &Options) -> Result<Control, DeviceError> {
    let unscale = unscale_of(options.loss_scale)?;
    let max_norm = match options.second {
        SecondGradient::Clipped(max_norm) => max_norm,
        _ => f32::INFINITY,
    };
    check_max_norm(max_norm)?;
    Ok(Control {
        unscale: if options.along_momentum { 1.0 } else { unscale },
        unscale_second: unscale,
        max_norm,
        along_momentum: u32::from(options.along_momentum),
        ..Control::new(options.length)
    })
}
