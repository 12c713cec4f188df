//! [`Row`]: one tensor of the trainer's, and what is remembered beside it.

use presam_bridge::Fault;
use presam_cuda::{Address, DeviceSegment};

use crate::place::{Place, Span};

/// A tensor of floats: addresses as the trainer has them, 0 for a plane that is not there.
pub(crate) struct Row {
    len: usize,
    group: usize,
    params: Address,
    backup: Address,
    /// LookSAM's alone: where a gradient of the step's own is written, and the kept part.
    scratch: Address,
    kept: Address,
    memory: [Address; 2],
    inputs: [Address; 2],
    state: [Address; 2],
}

impl Row {
    /// `addresses`: params, backup, scratch, kept, then memory, inputs, state; 0 for a plane that is not there.
    pub fn new(
        len: usize,
        group: usize,
        addresses: &[usize],
        counts: [usize; 3],
    ) -> Result<Self, Fault> {
        let expected = 4 + counts.iter().sum::<usize>();
        if addresses.len() != expected {
            let found = addresses.len();
            return Err(Fault::new(format!(
                "tensors: expected {expected} addresses, found {found}"
            )));
        }
        let mut rest = addresses.iter().map(|&address| address as Address);
        let mut next = || rest.next().unwrap_or(0);
        let (params, backup, scratch, kept) = (next(), next(), next(), next());
        let [memory, inputs, state] = counts.map(|count| {
            let mut planes = [0; 2];
            planes.iter_mut().take(count).for_each(|plane| *plane = next());
            planes
        });
        Ok(Self { len, group, params, backup, scratch, kept, memory, inputs, state })
    }

    pub const fn bytes(&self) -> usize {
        self.len * size_of::<f32>()
    }

    /// Its planes that are there.
    pub fn spans(&self) -> impl Iterator<Item = Span> {
        let own = [self.params, self.backup, self.scratch, self.kept];
        let planes = own.into_iter().chain(self.memory);
        let planes = planes.chain(self.inputs).chain(self.state).filter(|&plane| plane != 0);
        planes.map(|plane| (plane, self.bytes()))
    }

    /// The device's own addresses of scratch and kept part; 0 for what is not there.
    pub fn sharp(&self, place: &dyn Place) -> [Address; 2] {
        [self.scratch, self.kept].map(|plane| if plane == 0 { 0 } else { place.address(plane) })
    }

    /// As the device has it; both gradients at `grads` until they are told apart.
    pub fn segment(&self, place: &dyn Place, grads: Address) -> DeviceSegment {
        let at = |of| if of == 0 { 0 } else { place.address(of) };
        DeviceSegment {
            len: self.len as u64,
            group: self.group,
            params: at(self.params),
            grads,
            perturbed_grads: grads,
            out: at(self.backup),
            memory: self.memory.map(at),
            inputs: self.inputs.map(at),
            state: self.state.map(at),
            ..DeviceSegment::default()
        }
    }
}
