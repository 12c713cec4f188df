//! [`Made`]: what a trainer has in its device's memory.

use presam::{DynBase, DynVariant, Sam};
use presam_model::Mlp;

use super::ROW;
use crate::config::{Descent, Plan};
use crate::data::Dataset;
use crate::train::network::EVALUATION;
use crate::train::split::Split;
use presam_cuda::{
    Address, Batch, Buffers, Device, DeviceError, DeviceNetwork, DeviceSegment, DeviceStep, Flat,
    Mixes, Options,
};

/// A data set in device memory.
#[derive(Clone, Copy)]
pub(super) struct Resident {
    pub inputs: Address,
    pub labels: Address,
    pub len: usize,
    pub features: usize,
}

fn upload_labels(
    device: &mut dyn Device,
    buffers: &mut Buffers,
    labels: &[u8],
) -> Result<Address, DeviceError> {
    let words: Vec<u32> = labels.iter().map(|&label| label.into()).collect();
    buffers.upload(device, &words)
}

impl Resident {
    fn new(
        device: &mut dyn Device,
        buffers: &mut Buffers,
        data: &Dataset,
        labels: &[u8],
    ) -> Result<Self, DeviceError> {
        Ok(Self {
            inputs: buffers.upload(device, &data.inputs)?,
            labels: upload_labels(device, buffers, labels)?,
            len: data.len(),
            features: data.features,
        })
    }

    /// The examples in order, as many at a time as are evaluated at once.
    pub fn batches(self) -> impl Iterator<Item = Batch> {
        let Self { inputs, labels, len, features } = self;
        (0..len).step_by(EVALUATION).map(move |first| Batch {
            len: EVALUATION.min(len - first),
            inputs: inputs + 4 * (first * features) as u64,
            labels: labels + 4 * first as u64,
        })
    }
}

/// The step's segments, one for each tensor of the network, over planes of the whole model.
fn segments(
    mlp: &Mlp<'_>,
    flat: Flat,
    grads: Address,
    memory: [Address; 2],
    state: [Address; 2],
) -> Vec<DeviceSegment> {
    let of = |segment: presam_model::Segment| {
        let at = |plane: Address| plane + 4 * segment.offset as u64;
        let list =
            |planes: [Address; 2]| planes.map(|plane| if plane == 0 { 0 } else { at(plane) });
        DeviceSegment {
            len: segment.len as u64,
            group: usize::from(segment.is_bias),
            params: at(flat.params),
            grads: at(grads),
            perturbed_grads: at(flat.perturbed_grads),
            out: at(flat.perturbed),
            memory: list(memory),
            state: list(state),
            ..DeviceSegment::default()
        }
    };
    mlp.segments().map(of).collect()
}

/// What a trainer has on its device, and the step over it.
pub(super) struct Made {
    pub network: DeviceNetwork,
    pub step: DeviceStep,
    pub mixes: Mixes,
    pub flat: Flat,
    /// Planes of the rule and of the base optimizer; 0 where they have fewer.
    pub memory: [Address; 2],
    pub state: [Address; 2],
    pub train: Resident,
    pub test: Resident,
    pub true_labels: Address,
    /// The examples of an epoch, in the order in which they are taken.
    pub order: Address,
    pub batch: Batch,
    pub log: Address,
    /// The row of the step under way: at the same place in every step.
    pub row: Address,
    pub right: Address,
}

/// The planes of the whole model.
struct Model {
    flat: Flat,
    memory: [Address; 2],
    state: [Address; 2],
}

impl Model {
    fn new(
        device: &mut dyn Device,
        buffers: &mut Buffers,
        plan: &Plan,
        params: &[f32],
    ) -> Result<Self, DeviceError> {
        let len = params.len();
        let mut plane = |device: &mut dyn Device| buffers.zeros(device, len);
        let keeps = matches!(plan.descent, Descent::LookSam { .. });
        let [grads, perturbed_grads, perturbed] = [plane(device)?, plane(device)?, plane(device)?];
        let kept = if keeps { plane(device)? } else { 0 };
        let mut several = |count: usize| -> Result<[Address; 2], DeviceError> {
            let mut planes = [0; 2];
            for address in planes.iter_mut().take(count) {
                *address = plane(device)?;
            }
            Ok(planes)
        };
        let memory = several(plan.variant.map_or(0, |variant| variant.planes().memory))?;
        let state = several(plan.base.state_planes())?;
        let params = buffers.upload(device, params)?;
        let flat = Flat { len, group: 0, params, grads, perturbed_grads, perturbed, kept };
        Ok(Self { flat, memory, state })
    }
}

impl Made {
    /// Everything, in `buffers` or in the hands of its parts.
    pub fn new(
        device: &mut dyn Device,
        buffers: &mut Buffers,
        mlp: &Mlp<'_>,
        (batch, longest): (usize, usize),
        plan: &Plan,
        params: &[f32],
        split: &Split,
    ) -> Result<Self, DeviceError> {
        let Model { flat, memory, state } = Model::new(device, buffers, plan, params)?;
        let train = Resident::new(device, buffers, &split.train, &split.given)?;
        let test = Resident::new(device, buffers, &split.test, &split.test.labels)?;
        let features = split.train.features;
        let true_labels = upload_labels(device, buffers, &split.train.labels)?;
        let order = buffers.zeros(device, split.train.len())?;
        let inputs = buffers.zeros(device, batch * features)?;
        let batch = Batch { len: batch, inputs, labels: buffers.zeros(device, batch)? };
        let log = buffers.zeros(device, ROW * longest)?;
        let (row, right) = (buffers.zeros(device, ROW)?, buffers.zeros(device, 1)?);
        let along_momentum = plan.is_one_gradient();
        let slope = if along_momentum { state[0] } else { flat.grads };
        let segments = segments(mlp, flat, slope, memory, state);
        let options = Options { length: plan.length, along_momentum, ..Options::default() };
        let variant = plan.variant.unwrap_or(Sam::new().into());
        // These own what they allocate: where the next one finds no room, they give it back themselves.
        let step = DeviceStep::new(device, variant, plan.base, &segments, &plan.groups, options)?;
        let mixes = match Mixes::new(device, &[flat], &step) {
            Ok(mixes) => mixes,
            Err(error) => {
                let _ = step.free(device);
                return Err(error);
            }
        };
        let network = match DeviceNetwork::new(device, mlp, batch.len.max(EVALUATION)) {
            Ok(network) => network,
            Err(error) => {
                let _ = mixes.free(device).and(step.free(device));
                return Err(error);
            }
        };
        Ok(Self {
            network,
            step,
            mixes,
            flat,
            memory,
            state,
            train,
            test,
            true_labels,
            order,
            batch,
            log,
            row,
            right,
        })
    }
}
