//! [`Planes`]: every plane of a step in a device's memory, one buffer a plane.

use std::mem::offset_of;
use std::ops::Range;

use presam_kernels::layout::{ALIGNED, Segment};
use presam_kernels::plain::bytes_of;

use super::sums::Sums;
use crate::bench::Shape;
use crate::bench::cpu::tensor::Tensor;
use crate::error::Error;
use presam_cuda::{Address, Buffers, Device, DeviceError, DeviceSegment, Form, Scalars, download};

/// Floats from one tensor's start to another's are a multiple of these, as an allocator would place them.
const ALIGNMENT: u64 = 64;

/// Where a shape's tensors lie within a plane.
struct Layout {
    /// Elements of each tensor, numbered through over all tensors.
    elements: Vec<Range<u64>>,
    /// Floats from the plane's start to each tensor's.
    places: Vec<u64>,
    /// Floats of a plane.
    floats: u64,
}

impl Layout {
    fn of(shape: &Shape) -> Self {
        let (mut elements, mut places, mut element, mut floats) = (Vec::new(), Vec::new(), 0, 0);
        for &len in &shape.tensors {
            elements.push(element..element + len as u64);
            places.push(floats);
            element += len as u64;
            floats += (len as u64).next_multiple_of(ALIGNMENT);
        }
        Self { elements, places, floats }
    }

    /// Bytes from a plane's start to an element.
    fn offset(&self, element: u64) -> u64 {
        let tensor = self.elements.partition_point(|range| range.end <= element);
        let (range, place) = (self.elements.get(tensor), self.places.get(tensor));
        range.zip(place).map_or(0, |(range, place)| 4 * (place + element - range.start))
    }
}

/// The planes of a tensor that a step writes, as its row in a table.
fn row(segment: &DeviceSegment) -> Segment {
    let DeviceSegment { params, out, memory, state, len, .. } = *segment;
    Segment { params, out, memory, state, len, flags: ALIGNED, ..Segment::default() }
}

/// The planes; the two gradients change places from run to run.
pub(super) struct Planes {
    layout: Layout,
    buffers: Buffers,
    pub params: Address,
    pub grads: [Address; 2],
    /// The perturbed parameters, and the backup of an ascent in place.
    pub out: Address,
    pub memory: Vec<Address>,
    pub inputs: Vec<Address>,
    pub state: Vec<Address>,
}

impl Planes {
    /// Planes of zeros.
    pub fn new(
        device: &mut dyn Device,
        shape: &Shape,
        [memory, inputs, state]: [usize; 3],
    ) -> Result<Self, DeviceError> {
        let layout = Layout::of(shape);
        let (planes, buffers) = Buffers::built(device, |device, buffers| {
            let mut plane = || buffers.zeros(device, layout.floats as usize);
            let mut several =
                |count: usize| (0..count).map(|_| plane()).collect::<Result<Vec<_>, _>>();
            let (memory, inputs, state) = (several(memory)?, several(inputs)?, several(state)?);
            let [params, first, second, out] = [plane()?, plane()?, plane()?, plane()?];
            let (buffers, grads) = (Buffers::default(), [first, second]);
            Ok(Self { layout, buffers, params, grads, out, memory, inputs, state })
        })?;
        Ok(Self { buffers, ..planes })
    }

    /// Writes the planes that are not zeros at the start, for the elements `range` of one tensor.
    pub fn write(
        &self,
        device: &mut dyn Device,
        range: &Range<u64>,
        tensor: &Tensor,
    ) -> Result<(), DeviceError> {
        let [grads, perturbed_grads] = self.grads;
        let own = [
            (self.params, &tensor.params),
            (grads, &tensor.grads),
            (perturbed_grads, &tensor.perturbed_grads),
        ];
        let inputs = self.inputs.iter().copied().zip(&tensor.inputs);
        for (plane, values) in own.into_iter().chain(inputs) {
            device.write(plane + self.layout.offset(range.start), bytes_of(values))?;
        }
        Ok(())
    }

    /// Makes the memory fresh again.
    pub fn forget(&self, device: &mut dyn Device) -> Result<(), DeviceError> {
        let floats = self.layout.floats as usize;
        self.memory.iter().try_for_each(|&plane| device.fill(plane, 0, floats))
    }

    /// The table of a step whose first gradient is plane `turn`. In place parameters and backup change places too: as
    /// `Tensor::take_back` on the CPU.
    pub fn segments(&self, turn: usize, form: Form) -> Vec<DeviceSegment> {
        let planes = [self.params, self.out];
        let [params, out] =
            if form == Form::InPlace && turn == 1 { [planes[1], planes[0]] } else { planes };
        let list = |planes: &[Address], offset: u64| {
            std::array::from_fn(|i| planes.get(i).map_or(0, |plane| plane + offset))
        };
        let rows = self.layout.elements.iter().zip(&self.layout.places);
        rows.map(|(range, place)| {
            let offset = 4 * place;
            let [a, b] = self.grads.map(|plane| plane + offset);
            let (grads, perturbed_grads) = if turn == 0 { (a, b) } else { (b, a) };
            DeviceSegment {
                len: range.end - range.start,
                group: 0,
                scalars: Scalars::default(),
                params: params + offset,
                grads,
                perturbed_grads,
                out: out + offset,
                memory: list(&self.memory, offset),
                inputs: list(&self.inputs, offset),
                state: list(&self.state, offset),
            }
        })
        .collect()
    }

    /// Compares a plane with what the core computed, in bits, from element `first` on.
    pub fn same(
        &self,
        device: &mut dyn Device,
        (what, plane): (&str, Address),
        first: u64,
        expected: &[f32],
    ) -> Result<(), Error> {
        let at = plane + self.layout.offset(first);
        let found: Vec<f32> = download(device, at, expected.len())?;
        let pairs = found.iter().zip(expected).enumerate();
        match pairs.into_iter().find(|(_, (found, expected))| found.to_bits() != expected.to_bits())
        {
            None => Ok(()),
            Some((i, (found, expected))) => Err(Error::Wrong(format!(
                "{what}[{}]: expected {expected} ({:#010x}), found {found} ({:#010x})",
                first + i as u64,
                expected.to_bits(),
                found.to_bits()
            ))),
        }
    }

    /// After the last run: an infinity or a NaN is no work that a trainer would have.
    pub fn check_finite(&self, device: &mut dyn Device) -> Result<(), Error> {
        let rows: Vec<Segment> = self.segments(0, Form::OutOfPlace).iter().map(row).collect();
        let sums = Sums::new(device, &rows)?;
        let pair = |at: usize, count: usize| (0..count).map(move |k| at + k * size_of::<u64>());
        let own = [offset_of!(Segment, params), offset_of!(Segment, out)];
        let all = own.into_iter();
        let all = all.chain(pair(offset_of!(Segment, memory), self.memory.len()));
        let all = all.chain(pair(offset_of!(Segment, state), self.state.len()));
        let finite = { all }.try_fold(true, |finite, plane| {
            sums.is_finite(device, plane).map(|this| finite && this)
        });
        sums.free(device)?;
        if finite? {
            return Ok(());
        }
        Err(Error::Wrong("a value is not finite after the last run".to_owned()))
    }

    /// Gives the planes back.
    pub fn free(self, device: &mut dyn Device) -> Result<(), DeviceError> {
        self.buffers.free(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use presam_cuda::Emulated;

    fn shape() -> Shape {
        Shape { name: "three".into(), tensors: vec![65, 1, 129] }
    }

    #[test]
    fn tensors_lie_apart_and_aligned() {
        let layout = Layout::of(&shape());
        assert_eq!((layout.places.as_slice(), layout.floats), (&[0, 128, 192][..], 384));
        let offsets = [0, 64, 65, 66, 194].map(|element| layout.offset(element) / 4);
        assert_eq!(offsets, [0, 64, 128, 192, 320]);
    }

    #[test]
    fn a_single_wrong_bit_and_a_value_that_is_not_finite_are_found() {
        let mut device = Emulated::new(1);
        let planes = Planes::new(&mut device, &shape(), [1, 0, 1]).unwrap();
        let piece = Tensor::new(&(66..195), [1, 0, 1]);
        planes.write(&mut device, &(66..195), &piece).unwrap();
        let params = ("params", planes.params);
        planes.same(&mut device, params, 66, &piece.params).unwrap();
        planes.check_finite(&mut device).unwrap();
        let mut wrong = piece.params.clone();
        wrong[128] = f32::from_bits(wrong[128].to_bits() ^ 1);
        let message = planes.same(&mut device, params, 66, &wrong).unwrap_err().to_string();
        assert!(message.starts_with("params[194]: expected "), "{message}");
        device.fill(planes.memory[0] + 4 * 320, f32::NAN.to_bits(), 1).unwrap();
        assert!(planes.check_finite(&mut device).is_err());
        planes.forget(&mut device).unwrap();
        planes.check_finite(&mut device).unwrap();
        planes.free(&mut device).unwrap();
    }
}
