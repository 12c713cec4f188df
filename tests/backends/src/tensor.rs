//! One tensor for tests and tools: a [`Segment`] of the suite in buffers of a device, and back.

use crate::narrow;
use presam_conformance::{Case, Segment, SegmentAnswer};
use presam_cuda::{Address, Buffers, Device, DeviceError, DeviceSegment, Scalar, download};

/// How tensors lie on a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The scalar of the first gradient.
    pub scalar: Scalar,
    /// Bytes by which every plane misses a multiple of 16.
    pub shift: u64,
}

/// The case with its first gradients rounded to the scalar: what a device that is handed this scalar reads.
#[must_use]
pub fn narrowed(case: &Case<f32>, scalar: Scalar) -> Case<f32> {
    case.map_grads(|grad| narrow::rounded(scalar, grad))
}

/// A plane's bytes in its scalar.
fn bytes_in(scalar: Scalar, plane: &[f32]) -> Vec<u8> {
    let bytes = |&value: &f32| narrow::bits(scalar, value).to_le_bytes();
    plane.iter().flat_map(|value| bytes(value).into_iter().take(scalar.bytes() as usize)).collect()
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
    layout: Layout,
) -> Result<DeviceSegment, DeviceError> {
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
        memory,
        inputs,
        state,
        params: floats(&segment.params)?,
        perturbed_grads: floats(&segment.perturbed_grads)?,
        // What the ascent does not write shows.
        out: floats(&vec![f32::NAN; segment.params.len()])?,
        grads: plane(&segment.grads, layout.scalar)?,
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
    scalar: Scalar,
) -> Result<(), DeviceError> {
    write(device, at.grads, &bytes_in(scalar, &segment.grads))?;
    write(device, at.perturbed_grads, &bytes_in(Scalar::F32, &segment.perturbed_grads))
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
