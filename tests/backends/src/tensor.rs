//! One tensor for tests and tools: a [`Segment`] of the suite in buffers of a device, and back.

use crate::narrow;
use crate::stepped::Stepped;
use presam_conformance::{Case, Segment, SegmentAnswer};
use presam_cuda::{
    Address, Buffers, Device, DeviceError, DeviceSegment, Form, Scalar, Scalars, download,
};

/// How tensors lie on a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Which scalars the planes on the model's side have; none: all `f32`.
    pub mixed: Option<usize>,
    /// Bytes by which every plane of `f32` misses a multiple of 16; the others miss it by half as many.
    pub shift: u64,
}

impl Layout {
    /// The scalars of a segment: all 27 combinations in turn, or the nine without another scalar of `out`.
    #[must_use]
    pub fn scalars(self, segment: usize, form: Form) -> Scalars {
        let Some(first) = self.mixed else { return Scalars::default() };
        let turn = first + segment;
        let scalar = |turn: usize| [Scalar::F32, Scalar::Bf16, Scalar::F16][turn % 3];
        let out = if form == Form::Mixed { scalar(turn / 9) } else { Scalar::F32 };
        Scalars { grads: scalar(turn), perturbed_grads: scalar(turn / 3), out }
    }
}

fn round(scalar: Scalar, plane: &mut [f32]) {
    plane.iter_mut().for_each(|value| *value = narrow::rounded(scalar, *value));
}

/// The case with its gradients rounded to their scalars: what a device that is handed them reads.
#[must_use]
pub fn narrowed(case: &Case<f32>, form: Form, layout: Layout) -> Case<f32> {
    let mut case = case.clone();
    for (index, segment) in case.segments.iter_mut().enumerate() {
        let Scalars { grads, perturbed_grads, .. } = layout.scalars(index, form);
        round(grads, &mut segment.grads);
        round(perturbed_grads, &mut segment.perturbed_grads);
    }
    case
}

/// What core's step over the case is in the mixed form: the model reads roundings.
pub fn copied(case: &Case<f32>, stepped: &mut Stepped<f32>, layout: Layout) {
    for (index, segment) in stepped.answer.segments.iter_mut().enumerate() {
        let Scalars { out, .. } = layout.scalars(index, Form::Mixed);
        round(out, &mut segment.perturbed);
        let mut planes = [case.segments[index].params.clone(), segment.params.clone()];
        planes.iter_mut().for_each(|plane| round(out, plane));
        stepped.model.push(planes);
    }
}

/// A plane's bytes in its scalar.
fn bytes_in(scalar: Scalar, plane: &[f32]) -> Vec<u8> {
    let bytes = |&value: &f32| narrow::bits(scalar, value).to_le_bytes();
    plane.iter().flat_map(|value| bytes(value).into_iter().take(scalar.bytes() as usize)).collect()
}

/// A plane of this scalar, widened.
///
/// # Errors
/// Those of the device.
pub fn widened(
    device: &mut dyn Device,
    address: Address,
    len: usize,
    scalar: Scalar,
) -> Result<Vec<f32>, DeviceError> {
    if scalar == Scalar::F32 || len == 0 {
        return download(device, address, len);
    }
    let mut bytes = vec![0; 2 * len];
    device.read(address, &mut bytes)?;
    let halves = bytes.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes));
    Ok(halves.map(|bits| narrow::wide(scalar, bits)).collect())
}

/// The segment in buffers of its own, as one tensor of the group.
///
/// # Errors
/// Those of the device.
pub fn upload(
    device: &mut dyn Device,
    buffers: &mut Buffers,
    group: usize,
    segment: &Segment<f32>,
    (form, layout): (Form, Layout),
) -> Result<DeviceSegment, DeviceError> {
    let scalars = layout.scalars(group, form);
    let mut plane = |values: &[f32], scalar: Scalar| {
        let (bytes, shift) = (bytes_in(scalar, values), layout.shift * scalar.bytes() / 4);
        let address = buffers.allocate(device, bytes.len() + 16)? + shift;
        write(device, address, &bytes)?;
        Ok::<_, DeviceError>(address)
    };
    let mut floats = |values: &[f32]| plane(values, Scalar::F32);
    let mut list = |planes: &[Vec<f32>]| {
        let mut addresses = [0; 2];
        for (address, values) in addresses.iter_mut().zip(planes) {
            *address = floats(values)?;
        }
        Ok::<_, DeviceError>(addresses)
    };
    let (memory, inputs) = (list(&segment.memory)?, list(&segment.inputs)?);
    let state = list(&segment.state)?;
    Ok(DeviceSegment {
        len: segment.params.len() as u64,
        group,
        scalars,
        memory,
        inputs,
        state,
        params: plane(&segment.params, Scalar::F32)?,
        perturbed_grads: plane(&segment.perturbed_grads, scalars.perturbed_grads)?,
        // What the ascent does not write shows.
        out: plane(&vec![f32::NAN; segment.params.len()], scalars.out)?,
        grads: plane(&segment.grads, scalars.grads)?,
    })
}

/// Other gradients.
///
/// # Errors
/// Those of the device.
pub fn write_gradients(
    device: &mut dyn Device,
    at: &DeviceSegment,
    segment: &Segment<f32>,
) -> Result<(), DeviceError> {
    let Scalars { grads, perturbed_grads, .. } = at.scalars;
    write(device, at.grads, &bytes_in(grads, &segment.grads))?;
    write(device, at.perturbed_grads, &bytes_in(perturbed_grads, &segment.perturbed_grads))
}

fn write(device: &mut dyn Device, address: Address, bytes: &[u8]) -> Result<(), DeviceError> {
    if bytes.is_empty() { Ok(()) } else { device.write(address, bytes) }
}

/// Parameters, memory and state as they are now.
///
/// # Errors
/// Those of the device.
pub fn read(
    device: &mut dyn Device,
    at: &DeviceSegment,
    to: &mut SegmentAnswer<f32>,
) -> Result<(), DeviceError> {
    let len = to.params.len();
    to.params = download(device, at.params, len)?;
    let memory = to.memory.iter_mut().zip(at.memory);
    for (plane, address) in memory.chain(to.state.iter_mut().zip(at.state)) {
        *plane = download(device, address, len)?;
    }
    Ok(())
}
