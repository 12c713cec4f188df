//! What a launch asks of the trainer's addresses, checked on the host before anything is launched.

use presam::{CHUNK, Group, PlaneCount};
use presam_kernels::fold::LEAVES;

use crate::device::Address;
use crate::error::DeviceError;
use crate::options::{Form, Options};
use crate::segment::{DeviceSegment, Scalar, Scalars};

/// Chunks of a table: an eighth of what one tree folds in two rounds.
pub(super) const MOST_CHUNKS: u64 = LEAVES as u64 * LEAVES as u64;

/// The kernels that errors name: the first to touch a plane.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub accumulate: &'static str,
    pub ascend: &'static str,
    pub descend: &'static str,
}

/// One plane: who meets it first, its name, where it lies.
pub(super) struct Plane {
    pub kernel: &'static str,
    pub what: String,
    pub address: Address,
    pub bytes: u64,
    pub unit: u64,
    pub written: bool,
}

impl Plane {
    /// Of floats or 32-bit words.
    pub fn words(
        kernel: &'static str,
        what: &str,
        address: Address,
        len: u64,
        written: bool,
    ) -> Self {
        let (what, bytes) = (what.to_owned(), len.saturating_mul(4));
        Self { kernel, what, address, bytes, unit: 4, written }
    }
}

/// The rules of a step, as far as its segments must fit them.
pub(super) struct Rules {
    pub kernels: Names,
    pub planes: PlaneCount,
    pub state: usize,
}

/// Refuses an unknown group, another number of planes than the rules have, scalars that the step does not take,
/// null and misaligned addresses, planes that overlap where one of them is written, and more elements than one
/// tree holds.
pub(super) fn check(
    rules: &Rules,
    segments: &[DeviceSegment],
    groups: &[Group<f32>],
    options: &Options,
) -> Result<(), DeviceError> {
    let kernel = rules.kernels.accumulate;
    let mut all = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let Some(group) = groups.get(segment.group) else {
            let expected = format!("one of {} groups", groups.len());
            let what = format!("segment {index}: group");
            return Err(refuse(kernel, &what, expected, segment.group.to_string()));
        };
        if segment.len > 0 {
            scalars(rules, index, segment, options)?;
            all.extend(planes(rules, index, segment, (group.is_perturbed(), options.form))?);
        }
    }
    let chunks = segments
        .iter()
        .fold(0u64, |sum, segment| sum.saturating_add(segment.len.div_ceil(CHUNK as u64)));
    if chunks > MOST_CHUNKS {
        let expected = format!("at most {} ({MOST_CHUNKS} chunks)", MOST_CHUNKS * CHUNK as u64);
        let what = "elements of all segments";
        return Err(refuse(kernel, what, expected, format!("{chunks} chunks")));
    }
    check_planes(all, options.along_momentum)
}

/// Refuses another scalar than `f32` where the step has `f32`, and two for one plane.
fn scalars(
    rules: &Rules,
    index: usize,
    segment: &DeviceSegment,
    options: &Options,
) -> Result<(), DeviceError> {
    let Names { accumulate, ascend, descend } = rules.kernels;
    let Scalars { grads, perturbed_grads, out } = segment.scalars;
    if segment.grads == segment.perturbed_grads && grads != perturbed_grads {
        let what = format!("segment {index}: scalar of perturbed_grads, the plane of grads");
        return Err(refuse(descend, &what, format!("{grads:?}"), format!("{perturbed_grads:?}")));
    }
    for (kernel, plane, scalar, is_free, why) in [
        (accumulate, "grads", grads, !options.along_momentum, "the momentum"),
        (ascend, "out", out, options.form == Form::Mixed, "any but Form::Mixed"),
    ] {
        if scalar != Scalar::F32 && !is_free {
            let what = format!("segment {index}: scalar of {plane}");
            return Err(refuse(kernel, &what, format!("F32 for {why}"), format!("{scalar:?}")));
        }
    }
    Ok(())
}

/// The planes of a segment, as many as the rules have.
fn planes(
    rules: &Rules,
    index: usize,
    segment: &DeviceSegment,
    (is_perturbed, form): (bool, Form),
) -> Result<Vec<Plane>, DeviceError> {
    let plane = |kernel, name: &str, address, unit, written| Plane {
        kernel,
        what: format!("segment {index}: {name}"),
        address,
        bytes: segment.len.saturating_mul(unit),
        unit,
        written,
    };
    let Names { accumulate, ascend, descend } = rules.kernels;
    let Scalars { grads, perturbed_grads, out } = segment.scalars;
    let mut all = vec![
        plane(accumulate, "params", segment.params, 4, true),
        plane(accumulate, "grads", segment.grads, grads.bytes(), false),
        plane(descend, "perturbed_grads", segment.perturbed_grads, perturbed_grads.bytes(), false),
    ];
    if is_perturbed || form == Form::Mixed {
        let kernel = if is_perturbed { ascend } else { descend };
        all.push(plane(kernel, "out", segment.out, out.bytes(), true));
    }
    let PlaneCount { memory, inputs } = rules.planes;
    for (kernel, name, addresses, expected, written) in [
        (accumulate, "memory", segment.memory, memory, true),
        (accumulate, "inputs", segment.inputs, inputs, false),
        (descend, "state", segment.state, rules.state, true),
    ] {
        let found = addresses.iter().filter(|&&address| address != 0).count();
        if found != expected {
            let what = format!("segment {index}: {name}");
            return Err(refuse(kernel, &what, format!("{expected} planes"), found.to_string()));
        }
        let addresses = addresses.into_iter().take(expected).enumerate();
        all.extend(
            addresses
                .map(|(i, address)| plane(kernel, &format!("{name}[{i}]"), address, 4, written)),
        );
    }
    Ok(all)
}

/// Refuses null and misaligned addresses, and planes that overlap where one of them is written.
pub(super) fn check_planes(mut all: Vec<Plane>, along_momentum: bool) -> Result<(), DeviceError> {
    for plane in &all {
        if plane.address == 0 {
            let expected = "an address of device memory".into();
            return Err(refuse(plane.kernel, &plane.what, expected, "null".into()));
        }
        if !plane.address.is_multiple_of(plane.unit) {
            let expected = format!("a multiple of {} bytes", plane.unit);
            return Err(refuse(
                plane.kernel,
                &plane.what,
                expected,
                format!("{:#x}", plane.address),
            ));
        }
    }
    overlap(&mut all, along_momentum)
}

/// Two planes may share memory only if neither is written, or as momentum and slope.
fn overlap(planes: &mut [Plane], along_momentum: bool) -> Result<(), DeviceError> {
    planes.sort_by_key(|plane| plane.address);
    let end = |plane: &Plane| plane.address.saturating_add(plane.bytes);
    // The momentum is read as slope in the ascent and written in the descent: never at once.
    let slope = |a: &Plane, b: &Plane| {
        let own = a.what.strip_suffix(" grads").zip(b.what.strip_suffix(" state[0]"));
        along_momentum && own.is_some_and(|(a, b)| a == b) && a.address == b.address
    };
    let mut open: Vec<&Plane> = Vec::new();
    for plane in planes.iter() {
        open.retain(|other| end(other) > plane.address);
        for other in &open {
            if (plane.written || other.written) && !slope(plane, other) && !slope(other, plane) {
                let shared = end(other).min(end(plane)) - plane.address;
                let found = format!("{shared} bytes shared with {}", other.what);
                let expected = "memory of its own".to_owned();
                return Err(refuse(plane.kernel, &plane.what, expected, found));
            }
        }
        open.push(plane);
    }
    Ok(())
}

fn refuse(kernel: &'static str, what: &str, expected: String, found: String) -> DeviceError {
    DeviceError::Contract { kernel, what: what.to_owned(), expected, found }
}
