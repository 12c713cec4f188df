//! What a [`DeviceStep`](super::DeviceStep) writes to the device: segments, groups, base optimizers, the control block.

use presam::{AnyBase, DynBase, Group, SecondGradient};
use presam_kernels::Kernel;
use presam_kernels::entries::base_words;
use presam_kernels::layout::{
    ALIGNED, BASE_BYTES, COPIED, Control, GroupScale, STILL, Segment, scalar,
};

use crate::error::DeviceError;
use crate::options::{Form, Options};
use crate::segment::{DeviceSegment, Scalar, Scalars};

/// The kernel over planes of `f32`, or over any.
pub(super) const fn pick([f32, mixed]: [&'static Kernel; 2], is_mixed: bool) -> &'static Kernel {
    if is_mixed { mixed } else { f32 }
}

/// Whether a step needs the kernels over any planes.
pub(super) fn is_mixed(segments: &[DeviceSegment], form: Form) -> bool {
    form == Form::Mixed || segments.iter().any(|segment| segment.scalars != Scalars::default())
}

const fn number(of: Scalar) -> u32 {
    match of {
        Scalar::F32 => scalar::F32,
        Scalar::Bf16 => scalar::BF16,
        Scalar::F16 => scalar::F16,
    }
}

/// A segment's flags, but [`ALIGNED`].
const fn flags(segment: &DeviceSegment, is_perturbed: bool, form: Form) -> u32 {
    let Scalars { grads, perturbed_grads, out } = segment.scalars;
    let own = match form {
        Form::Mixed if is_perturbed => COPIED,
        Form::Mixed => COPIED | STILL,
        Form::OutOfPlace | Form::InPlace => 0,
    };
    own | number(grads) << scalar::GRADS
        | number(perturbed_grads) << scalar::PERTURBED_GRADS
        | number(out) << scalar::OUT
}

/// A segment's row; one that is not perturbed has no `out`, unless the model reads it.
pub(super) fn row(segment: &DeviceSegment, is_perturbed: bool, form: Form) -> Segment {
    let row = Segment {
        grads: segment.grads,
        params: segment.params,
        len: segment.len,
        group: segment.group as u32,
        flags: flags(segment, is_perturbed, form),
        memory: segment.memory,
        inputs: segment.inputs,
        out: if is_perturbed || form == Form::Mixed { segment.out } else { 0 },
        perturbed_grads: segment.perturbed_grads,
        state: segment.state,
    };
    let planes = [row.grads, row.params, row.out, row.perturbed_grads].into_iter();
    let planes = planes.chain(row.memory).chain(row.inputs).chain(row.state);
    let aligned = planes.into_iter().all(|plane| plane.is_multiple_of(16));
    Segment { flags: row.flags | if aligned { ALIGNED } else { 0 }, ..row }
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

/// The base optimizer of each group: one that has a weight decay of its own has it there.
pub(super) fn bases_of(
    base: AnyBase<f32>,
    groups: &[Group<f32>],
) -> Result<Vec<AnyBase<f32>>, DeviceError> {
    let of = |group: &Group<f32>| match group.weight_decay() {
        Some(weight_decay) => base.set("weight_decay", weight_decay.into()),
        None => Ok(base),
    };
    Ok(groups.iter().map(of).collect::<Result<_, _>>()?)
}

/// The same in rows of [`BASE_BYTES`], each with its learning rate at [`BASE_RATE`](presam_kernels::layout::BASE_RATE).
pub(super) fn base_rows(bases: &[AnyBase<f32>]) -> Vec<u32> {
    let words = BASE_BYTES as usize / 4;
    let mut rows = Vec::new();
    for base in bases {
        rows.extend(base_words(base));
        rows.resize(rows.len().next_multiple_of(words) - 1, 0);
        rows.push(base.learning_rate().to_bits());
    }
    rows
}

fn hyperparameter(name: &'static str, expected: &'static str, found: f32) -> DeviceError {
    DeviceError::Rule(presam::Error::Hyperparameter { name, expected, found: found.into() })
}

/// 1 / loss scale.
pub(super) fn unscale_of(scale: f32) -> Result<f32, DeviceError> {
    if scale >= f32::MIN_POSITIVE && scale.is_finite() {
        Ok(1.0 / scale)
    } else {
        Err(hyperparameter("loss_scale", "a finite number > 0", scale))
    }
}

pub(super) fn check_unscale(unscale: f32) -> Result<(), DeviceError> {
    if unscale > 0.0 && unscale.is_finite() {
        Ok(())
    } else {
        Err(hyperparameter("unscale", "a finite number > 0", unscale))
    }
}

pub(super) fn check_max_norm(max_norm: f32) -> Result<(), DeviceError> {
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
        unchecked: u32::from(options.second == SecondGradient::Unchecked),
        ..Control::new(options.length)
    })
}
