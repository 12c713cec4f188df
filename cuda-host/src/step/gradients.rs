//! Gradients that move: a trainer whose allocator hands out other memory from step to step.

use std::mem::offset_of;

use presam_kernels::layout::{ALIGNED, Segment};
use presam_kernels::plain::bytes_of;

use super::DeviceStep;
use super::rows::pick;
use crate::device::{Address, Device, SHORT_WRITE};
use crate::error::DeviceError;
use crate::segment::DeviceSegment;

/// Rows of one short write.
const PIECE: usize = SHORT_WRITE / size_of::<Segment>();

/// The rows of segments, as the device has them, and what no gradient may lie over.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    address: Address,
    rows: Vec<Segment>,
    /// Bytes of an element of g and of g~, for each segment.
    units: Vec<[u64; 2]>,
    /// First byte, and the one after the last, of each plane that is written, in order.
    written: Vec<[Address; 2]>,
    /// Whether the device may have other gradients in its rows: a recording writes its own whenever it is replayed.
    unsure: bool,
    recorded: bool,
}

/// The first gradient or the second: its name, and where its address stands in a row.
pub(crate) type Which = (&'static str, usize);
pub(crate) const FIRST: Which = ("grads", offset_of!(Segment, grads));
pub(crate) const SECOND: Which = ("perturbed_grads", offset_of!(Segment, perturbed_grads));

const fn place(row: &mut Segment, which: Which) -> &mut Address {
    if which.1 == SECOND.1 { &mut row.perturbed_grads } else { &mut row.grads }
}

impl Rows {
    /// `written`: first byte, and the one after the last, of each plane that is written.
    pub fn over(
        address: Address,
        rows: &[Segment],
        units: Vec<[u64; 2]>,
        mut written: Vec<[Address; 2]>,
    ) -> Self {
        written.sort_unstable();
        Self { address, rows: rows.to_vec(), units, written, unsure: false, recorded: false }
    }

    pub fn new(address: Address, rows: &[Segment], segments: &[DeviceSegment]) -> Self {
        let unit = |segment: &DeviceSegment| {
            [segment.scalars.grads.bytes(), segment.scalars.perturbed_grads.bytes()]
        };
        let mut written = Vec::new();
        for (row, segment) in rows.iter().zip(segments).filter(|(row, _)| row.len > 0) {
            let floats = [row.params, row.memory[0], row.memory[1], row.state[0], row.state[1]];
            let planes = floats.map(|plane| (plane, 4)).into_iter();
            let planes = planes.chain([(row.out, segment.scalars.out.bytes())]);
            let there = planes.filter(|&(plane, _)| plane != 0);
            written.extend(there.map(|(plane, unit)| [plane, plane + row.len * unit]));
        }
        Self::over(address, rows, segments.iter().map(unit).collect(), written)
    }

    pub const fn was_recorded(&self) -> bool {
        self.recorded
    }

    /// Bytes of each segment of floats.
    pub fn bytes(&self) -> Vec<u64> {
        self.rows.iter().map(|row| 4 * row.len).collect()
    }

    /// Refuses a gradient that the kernels of this step could not read.
    fn check(
        &self,
        (index, address): (usize, Address),
        which: Which,
        kernel: &'static str,
    ) -> Result<(), DeviceError> {
        let refuse = |expected: &str, found: String| {
            let what = format!("segment {index}: {}", which.0);
            Err(DeviceError::Contract { kernel, what, expected: expected.into(), found })
        };
        let (row, unit) = (&self.rows[index], self.units[index][usize::from(which == SECOND)]);
        if address == 0 {
            return refuse("an address of device memory", "null".into());
        }
        if !address.is_multiple_of(unit) {
            return refuse(&format!("a multiple of {unit} bytes"), format!("{address:#x}"));
        }
        if row.flags & ALIGNED != 0 && !address.is_multiple_of(16) {
            let expected = "a multiple of 16 bytes, as when the step was made";
            return refuse(expected, format!("{address:#x}"));
        }
        let end = address.saturating_add(row.len.saturating_mul(unit));
        let next = self.written.partition_point(|&[_, plane_end]| plane_end <= address);
        match self.written.get(next) {
            Some(&[start, plane_end]) if start < end => {
                let shared = plane_end.min(end) - start.max(address);
                refuse(
                    "memory of its own",
                    format!("{shared} bytes shared with a plane that is written"),
                )
            }
            _ => Ok(()),
        }
    }

    /// The gradients from here on; what is given for an empty segment is not looked at.
    pub fn set(
        &mut self,
        device: &mut dyn Device,
        which: Which,
        kernel: &'static str,
        addresses: &[Address],
    ) -> Result<(), DeviceError> {
        if addresses.len() != self.rows.len() {
            let (expected, found) = (self.rows.len().to_string(), addresses.len().to_string());
            return Err(DeviceError::Contract { kernel, what: which.0.into(), expected, found });
        }
        let recording = device.is_recording()?;
        self.recorded |= recording;
        self.unsure |= recording;
        let mut moved = Vec::new();
        for (index, (row, &address)) in self.rows.iter_mut().zip(addresses).enumerate() {
            if row.len > 0 && (self.unsure || *place(row, which) != address) {
                moved.push((index, address));
            }
        }
        moved.iter().try_for_each(|&one| self.check(one, which, kernel))?;
        for &(index, address) in &moved {
            *place(&mut self.rows[index], which) = address;
        }
        let written = self.write(device, &moved, which, recording);
        self.unsure |= written.is_err();
        written
    }

    fn write(
        &self,
        device: &mut dyn Device,
        moved: &[(usize, Address)],
        which: Which,
        recording: bool,
    ) -> Result<(), DeviceError> {
        let at = |index: usize| self.address + (index * size_of::<Segment>()) as u64;
        if recording {
            // By value, and no word that another recording may have to write.
            return moved.iter().try_for_each(|&(index, address)| {
                let words = [address as u32, (address >> 32) as u32];
                device.set(at(index) + which.1 as u64, &words)
            });
        }
        let (Some(&(first, _)), Some(&(last, _))) = (moved.first(), moved.last()) else {
            return Ok(());
        };
        for (piece, rows) in self.rows[first..=last].chunks(PIECE).enumerate() {
            device.write(at(first + piece * PIECE), bytes_of(rows))?;
        }
        Ok(())
    }
}

impl DeviceStep {
    /// Queues other places of the first gradient, one a segment, of the scalars that the step was made with; what is
    /// given for an empty segment is not looked at. Nothing is written where none has moved. Within a recording every
    /// place is recorded, so that a replay finds its own gradients whatever was set since.
    ///
    /// # Errors
    /// [`DeviceError::Contract`] for another number of places, one that is null or misaligned (for its scalar, and for
    /// 16 bytes where all planes of the segment lay so when the step was made), one over a plane that the step
    /// writes, and a step along the momentum, which follows that; as [`Device::write`].
    pub fn set_gradients(
        &mut self,
        device: &mut dyn Device,
        grads: &[Address],
    ) -> Result<(), DeviceError> {
        let kernel = pick(self.variant_kernels.accumulate, self.is_mixed).name;
        if self.along_momentum {
            return Err(DeviceError::Contract {
                kernel,
                what: FIRST.0.into(),
                expected: "the momentum, state[0]".into(),
                found: "gradients".into(),
            });
        }
        self.rows.set(device, FIRST, kernel, grads)
    }

    /// The same of the gradient at the perturbed parameters.
    ///
    /// # Errors
    /// As [`set_gradients`](DeviceStep::set_gradients), but for the step along the momentum, which has a second
    /// gradient like the others.
    pub fn set_second_gradients(
        &mut self,
        device: &mut dyn Device,
        grads: &[Address],
    ) -> Result<(), DeviceError> {
        let kernel = pick(self.base_kernels.descend, self.is_mixed).name;
        self.rows.set(device, SECOND, kernel, grads)
    }
}
