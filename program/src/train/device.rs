//! [`DeviceTrainer`]: the steps of a run on a device; the same bits as on the CPU.

mod measure;
mod shares;

use std::time::{Duration, Instant};

use presam::{AnyBase, AnyVariant, BaseOptimizer, Group, Variant};
use presam_kernels::entries;
use presam_kernels::layout::outcome;
use presam_kernels::plain::bytes_of;
use presam_model::Mlp;

use super::network::EVALUATION;
use super::plan::{Descent, Plan};
use super::split::Split;
use super::step::Step;
use super::trainer::Trainer;
use crate::data::Dataset;
use crate::error::Error;
use presam_cuda::{
    Address, Batch, Buffers, Device, DeviceError, DeviceNetwork, DeviceSegment, DeviceStep, Flat,
    Mixes, Options, download,
};
use shares::{Phase, PhaseClock};

/// Words of a step's row in the log.
const ROW: usize = 4;

/// A run's data, parameters and step on a device.
pub(super) struct DeviceTrainer<'d, B> {
    device: &'d mut Box<dyn Device>,
    plan: Plan,
    base: B,
    groups: Vec<Group<f32>>,
    network: DeviceNetwork,
    step: DeviceStep,
    mixes: Mixes,
    flat: Flat,
    train: Resident,
    test: Resident,
    true_labels: Address,
    buffers: Buffers,
    /// The examples of an epoch, in the order in which they are taken.
    order: Address,
    batch: Batch,
    log: Address,
    right: Address,
    /// Steps and examples since the epoch began.
    logged: usize,
    taken: usize,
    steps: u32,
    started: Option<Instant>,
    rate: Option<u32>,
    /// There while the phases of a step are timed one by one.
    clock: Option<PhaseClock>,
}

/// A data set in device memory.
#[derive(Clone, Copy)]
struct Resident {
    inputs: Address,
    labels: Address,
    len: usize,
    features: usize,
}

fn upload_labels(
    device: &mut Box<dyn Device>,
    buffers: &mut Buffers,
    labels: &[u8],
) -> Result<Address, DeviceError> {
    let words: Vec<u32> = labels.iter().map(|&label| label.into()).collect();
    buffers.upload(device, &words)
}

impl Resident {
    fn new(
        device: &mut Box<dyn Device>,
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
    fn batches(self) -> impl Iterator<Item = Batch> {
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
            inputs: [0; 2],
            state: list(state),
        }
    };
    mlp.segments().map(of).collect()
}

impl<'d, B> DeviceTrainer<'d, B> {
    /// A trainer at `params`, before its first step; `longest` is the number of steps of an epoch.
    pub fn new<V, const M: usize, const S: usize>(
        device: &'d mut Box<dyn Device>,
        mlp: &Mlp<'_>,
        (batch, longest): (usize, usize),
        (plan, variant, base): (&Plan, V, B),
        params: &[f32],
        split: &Split,
    ) -> Result<Self, Error>
    where
        V: Variant<f32, M, 0> + Into<AnyVariant<f32>>,
        B: BaseOptimizer<f32, S> + Into<AnyBase<f32>>,
    {
        let mut buffers = Buffers::default();
        let len = params.len();
        let mut plane = |device: &mut Box<dyn Device>| buffers.zeros(device, len);
        let keeps = matches!(plan.descent, Descent::LookSam { .. });
        let [grads, perturbed_grads, perturbed] = [plane(device)?, plane(device)?, plane(device)?];
        let kept = if keeps { plane(device)? } else { 0 };
        let mut memory = [0; 2];
        for address in memory.iter_mut().take(M) {
            *address = plane(device)?;
        }
        let mut state = [0; 2];
        for address in state.iter_mut().take(S) {
            *address = plane(device)?;
        }
        let flat = Flat {
            len,
            params: buffers.upload(device, params)?,
            grads,
            perturbed_grads,
            perturbed,
            kept,
        };
        let along_momentum = plan.is_one_gradient();
        let slope = if along_momentum && S > 0 { state[0] } else { grads };
        let weights = Group::new(plan.rho as f32)?;
        let biases = if plan.operator_on_biases { weights } else { weights.without_operator() };
        let groups = vec![weights, biases];
        let segments = segments(mlp, flat, slope, memory, state);
        let options = Options { length: plan.length, along_momentum, ..Options::default() };
        let rules = (variant.into(), base.into());
        let step = DeviceStep::new(device, rules.0, rules.1, &segments, &groups, options)?;
        let mixes = Mixes::new(device, flat, step.control())?;
        let train = Resident::new(device, &mut buffers, &split.train, &split.given)?;
        let test = Resident::new(device, &mut buffers, &split.test, &split.test.labels)?;
        let features = split.train.features;
        Ok(Self {
            plan: plan.clone(),
            base,
            groups,
            network: DeviceNetwork::new(device, mlp, batch.max(EVALUATION))?,
            step,
            mixes,
            flat,
            train,
            test,
            true_labels: upload_labels(device, &mut buffers, &split.train.labels)?,
            order: buffers.zeros(device, split.train.len())?,
            batch: Batch {
                len: batch,
                inputs: buffers.zeros(device, batch * features)?,
                labels: buffers.zeros(device, batch)?,
            },
            log: buffers.zeros(device, ROW * longest)?,
            right: buffers.zeros(device, 1)?,
            buffers,
            logged: 0,
            taken: 0,
            steps: 0,
            started: None,
            rate: None,
            clock: None,
            device,
        })
    }

    fn gradient(&mut self, params: Address, grads: Address) -> Result<(), DeviceError> {
        self.network.forward(self.device, params, self.batch)?;
        self.passed(Phase::Forward)?;
        self.network.backward(self.device, params, self.batch, grads)?;
        self.passed(Phase::Backward)
    }

    /// The first half of the step, and how far it went.
    fn ascend(&mut self) -> Result<Address, DeviceError> {
        self.step.ascend(self.device)?;
        self.passed(Phase::Ascent)?;
        let distance = self.mixes.distance(self.device)?;
        self.passed(Phase::Measuring)?;
        Ok(distance)
    }

    /// This step's row of the log.
    fn row(&self) -> Address {
        self.log + (4 * ROW * self.logged) as u64
    }

    /// The loss of the gradient just taken, into the log.
    fn log_loss(&mut self) -> Result<(), DeviceError> {
        let arguments = [self.batch.len as u64, self.network.losses(), self.row()];
        self.device.launch(&entries::mean_loss, 1, &arguments)?;
        self.passed(Phase::Measuring)
    }

    /// The base optimizer's step, and what all of it did into the log.
    fn end(&mut self, distance: Address) -> Result<(), DeviceError> {
        self.step.descend(self.device)?;
        self.passed(Phase::Descent)?;
        let arguments = [self.step.control(), distance, self.row() + 4];
        self.device.launch(&entries::report, 1, &arguments)?;
        self.logged += 1;
        Ok(())
    }

    /// One step on the gathered batch, as the CPU's stepper takes it.
    fn take(&mut self) -> Result<(), DeviceError> {
        let Flat { params, grads, perturbed_grads, perturbed, .. } = self.flat;
        let step = self.steps;
        self.steps += 1;
        if self.plan.variant.is_none() {
            self.gradient(params, perturbed_grads)?;
            self.log_loss()?;
            return self.end(0);
        }
        if self.plan.is_one_gradient() {
            let distance = self.ascend()?;
            self.gradient(perturbed, perturbed_grads)?;
            self.log_loss()?;
            return self.end(distance);
        }
        self.gradient(params, grads)?;
        self.log_loss()?;
        if let Descent::LookSam { interval, look } = self.plan.descent
            && !step.is_multiple_of(interval.max(1))
        {
            self.step.skip_ascent(self.device)?;
            self.mixes.look_sam_reuse(self.device, look)?;
            return self.end(0);
        }
        let distance = self.ascend()?;
        self.gradient(perturbed, perturbed_grads)?;
        match self.plan.descent {
            Descent::Plain => {}
            Descent::Gsam(gsam) => self.mixes.gsam(self.device, gsam)?,
            Descent::Wsam(wsam) => self.mixes.wsam(self.device, wsam)?,
            Descent::LookSam { look, .. } => self.mixes.look_sam_split(self.device, look)?,
        }
        self.end(distance)
    }

    /// A row of the log as the CPU tells it.
    fn told(&self, [loss, moved, ascent, descends]: [u32; ROW]) -> Step {
        let skipped = ascent == outcome::NON_FINITE;
        // Without an ascent a one-gradient method takes no gradient: there is no loss.
        let no_loss = skipped && self.plan.is_one_gradient();
        Step {
            loss: if no_loss { f32::NAN } else { f32::from_bits(loss) },
            perturbation: if skipped { 0.0 } else { f32::from_bits(moved).into() },
            descended: descends != 0,
            time: Duration::ZERO,
        }
    }
}

impl<B, const S: usize> Trainer for (DeviceTrainer<'_, B>, [(); S])
where
    B: BaseOptimizer<f32, S> + Into<AnyBase<f32>>,
{
    fn begin_epoch(&mut self, order: &[usize]) -> Result<(), Error> {
        let (this, _) = self;
        let order: Vec<u32> =
            order.iter().map(|&index| u32::try_from(index).unwrap_or(u32::MAX)).collect();
        this.started = Some(Instant::now());
        Ok(this.device.write(this.order, &bytes_of(&order))?)
    }

    fn step(&mut self, _: &Split, batch: &[usize], learning_rate: f32) -> Result<(), Error> {
        let (this, _) = self;
        if this.rate != Some(learning_rate.to_bits()) {
            let base = this.base.with_learning_rate(learning_rate)?;
            this.step.set_base(this.device, base.into(), &this.groups)?;
            this.rate = Some(learning_rate.to_bits());
        }
        this.gather(batch.len())?;
        Ok(this.take()?)
    }

    fn end_epoch(&mut self) -> Result<(Vec<Step>, Duration), Error> {
        let (this, _) = self;
        let rows = download::<[u32; ROW]>(this.device, this.log, this.logged)?;
        let time = this.started.take().map_or(Duration::ZERO, |started| started.elapsed());
        (this.logged, this.taken) = (0, 0);
        Ok((rows.into_iter().map(|row| this.told(row)).collect(), time))
    }

    fn test_accuracy(&mut self, _: &Split) -> Result<f64, Error> {
        let (this, _) = self;
        this.device.fill(this.right, 0, 1)?;
        for batch in this.test.batches() {
            this.network.forward(this.device, this.flat.params, batch)?;
            this.network.count_right(this.device, batch, this.right)?;
        }
        let right = download::<u32>(this.device, this.right, 1)?;
        Ok(f64::from(right.first().copied().unwrap_or(0)) / this.test.len.max(1) as f64)
    }

    fn params(&mut self) -> Result<Vec<f32>, Error> {
        let (this, _) = self;
        Ok(download(this.device, this.flat.params, this.flat.len)?)
    }
}

impl<B> DeviceTrainer<'_, B> {
    /// Copies the next examples of the epoch to the batch, by the device itself.
    fn gather(&mut self, len: usize) -> Result<(), DeviceError> {
        let order = self.order + 4 * self.taken as u64;
        self.taken += len;
        self.batch.len = len;
        let Resident { inputs, labels, features, .. } = self.train;
        let (to, to_labels) = (self.batch.inputs, self.batch.labels);
        let arguments = [features as u64, inputs, labels, order, to, to_labels];
        let blocks = u32::try_from(len).unwrap_or(u32::MAX);
        self.device.launch(&entries::gather, blocks, &arguments)
    }

    /// Whether the device only stands in for a GPU.
    pub fn stands_in(&self) -> bool {
        self.device.stands_in()
    }

    /// Gives all memory back.
    pub fn free(self) -> Result<(), DeviceError> {
        self.network.free(self.device)?;
        self.mixes.free(self.device)?;
        self.step.free(self.device)?;
        self.buffers.free(self.device)
    }
}
