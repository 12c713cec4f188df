//! What a launch asks of the trainer's addresses, checked on the host before anything is launched.

use presam_kernels::fold::LEAVES;

use super::segment::View;
use super::{Address, DeviceError, Scalar};
use presam::CHUNK;

/// Chunks of a table: what one tree folds in two rounds.
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

fn planes(
    names: Names,
    index: usize,
    segment: &View<'_>,
    scalar: Scalar,
    is_perturbed: bool,
) -> Vec<Plane> {
    let plane = |kernel, name: &str, address, unit, written| Plane {
        kernel,
        what: format!("segment {index}: {name}"),
        address,
        bytes: segment.len.saturating_mul(unit),
        unit,
        written,
    };
    let Names { accumulate, ascend, descend } = names;
    let mut all = vec![
        plane(accumulate, "params", segment.params, 4, true),
        plane(accumulate, "grads", segment.grads, scalar.bytes(), false),
        plane(descend, "perturbed_grads", segment.perturbed_grads, 4, false),
    ];
    if is_perturbed {
        all.push(plane(ascend, "out", segment.out, 4, true));
    }
    let lists: [(_, _, &[Address], _); 3] = [
        (accumulate, "memory", segment.memory, true),
        (accumulate, "inputs", segment.inputs, false),
        (descend, "state", segment.state, true),
    ];
    for (kernel, name, addresses, written) in lists {
        for (i, &address) in addresses.iter().enumerate() {
            all.push(plane(kernel, &format!("{name}[{i}]"), address, 4, written));
        }
    }
    all
}

/// Refuses null and misaligned addresses, planes that overlap where one of them is written, and more
/// elements than one tree holds.
pub(super) fn check(
    names: Names,
    segments: &[View<'_>],
    (scalar, along_momentum): (Scalar, bool),
    is_perturbed: impl Fn(usize) -> bool,
) -> Result<(), DeviceError> {
    let chunks = segments
        .iter()
        .fold(0u64, |sum, segment| sum.saturating_add(segment.len.div_ceil(CHUNK as u64)));
    if chunks > MOST_CHUNKS {
        let most = MOST_CHUNKS * CHUNK as u64;
        return Err(refuse(
            names.accumulate,
            "elements of all segments",
            format!("at most {most} ({MOST_CHUNKS} chunks)"),
            format!("{chunks} chunks"),
        ));
    }
    let mut all = Vec::new();
    for (index, segment) in segments.iter().enumerate().filter(|(_, segment)| segment.len > 0) {
        all.extend(planes(names, index, segment, scalar, is_perturbed(segment.group)));
    }
    check_planes(all, along_momentum)
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
