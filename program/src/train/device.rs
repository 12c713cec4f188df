//! [`DeviceTrainer`]: the steps of a run on a device; the same bits as on the CPU.

mod lasting;
mod made;
mod measure;
mod shares;
mod steps;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use presam_kernels::entries;
use presam_kernels::layout::outcome;
use presam_kernels::plain::bytes_of;
use presam_model::Mlp;

use super::health::Change;
use super::split::Split;
use super::state::State;
use super::step::Step;
use super::trainer::Trainer;
use crate::config::Plan;
use crate::error::Error;
use made::{Made, Resident};
use presam_cuda::{Buffers, Device, DeviceError, download};
use shares::PhaseClock;
use steps::{Kind, Known};

/// Words of a step's row in the log.
const ROW: usize = 4;

/// A run's data, parameters and step on a device.
pub(super) struct DeviceTrainer<'d> {
    device: &'d mut Box<dyn Device>,
    plan: Plan,
    made: Made,
    buffers: Buffers,
    /// Steps and examples since the epoch began.
    logged: usize,
    taken: usize,
    steps: u32,
    started: Option<Instant>,
    rate: Option<u32>,
    /// The step of this epoch whose gradients were compared, and what came out.
    change: Option<(usize, Change)>,
    /// Examples of a whole batch.
    whole: usize,
    /// What is known of the steps on whole batches, by kind.
    known: BTreeMap<Kind, Known>,
    /// There while the phases of a step are timed one by one.
    clock: Option<PhaseClock>,
}

impl<'d> DeviceTrainer<'d> {
    /// A trainer at `params`, before its first step; `longest` is the number of steps of an epoch. Where there is no
    /// room for all of it, nothing is kept.
    pub fn new(
        device: &'d mut Box<dyn Device>,
        mlp: &Mlp<'_>,
        (batch, longest): (usize, usize),
        plan: &Plan,
        params: &[f32],
        split: &Split,
    ) -> Result<Self, Error> {
        let sizes = (batch, longest);
        let (made, buffers) = Buffers::built(device, |device, buffers| {
            Made::new(device, buffers, mlp, sizes, plan, params, split)
        })?;
        Ok(Self {
            plan: plan.clone(),
            made,
            buffers,
            logged: 0,
            taken: 0,
            steps: 0,
            started: None,
            rate: None,
            change: None,
            whole: batch,
            known: BTreeMap::new(),
            clock: None,
            device,
        })
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
            change: None,
            time: Duration::ZERO,
        }
    }
}

impl Trainer for DeviceTrainer<'_> {
    fn begin_epoch(&mut self, epoch: usize, order: &[usize]) -> Result<(), Error> {
        let before = self.plan.descent;
        self.plan.begin_epoch(epoch)?;
        if self.plan.descent != before {
            self.forget(Kind::Whole);
        }
        let order: Vec<u32> =
            order.iter().map(|&index| u32::try_from(index).unwrap_or(u32::MAX)).collect();
        self.started = Some(Instant::now());
        self.change = None;
        Ok(self.device.write(self.made.order, bytes_of(&order))?)
    }

    fn step(
        &mut self,
        _: &Split,
        batch: &[usize],
        learning_rate: f32,
        perturbs: bool,
    ) -> Result<(), Error> {
        if self.rate != Some(learning_rate.to_bits()) {
            let base = self.plan.base.set("learning_rate", learning_rate.into())?;
            self.made.step.set_base(self.device, base, &self.plan.groups)?;
            self.rate = Some(learning_rate.to_bits());
        }
        self.gather(batch.len())?;
        Ok(self.take(perturbs)?)
    }

    fn end_epoch(&mut self) -> Result<(Vec<Step>, Duration), Error> {
        let rows = download::<[u32; ROW]>(self.device, self.made.log, self.logged)?;
        let time = self.started.take().map_or(Duration::ZERO, |started| started.elapsed());
        (self.logged, self.taken) = (0, 0);
        let mut steps: Vec<Step> = rows.into_iter().map(|row| self.told(row)).collect();
        if let Some((index, change)) = self.change
            && let Some(step) = steps.get_mut(index)
        {
            // A step that was skipped took no second gradient: its buffer held an older one.
            step.change = step.descended.then_some(change);
        }
        Ok((steps, time))
    }

    fn test_accuracy(&mut self, _: &Split) -> Result<f64, Error> {
        self.device.fill(self.made.right, 0, 1)?;
        for batch in self.made.test.batches() {
            self.made.network.forward(self.device, self.made.flat.params, batch)?;
            self.made.network.count_right(self.device, batch, self.made.right)?;
        }
        let right = download::<u32>(self.device, self.made.right, 1)?;
        Ok(f64::from(right.first().copied().unwrap_or(0)) / self.made.test.len.max(1) as f64)
    }

    fn params(&mut self) -> Result<Vec<f32>, Error> {
        Ok(download(self.device, self.made.flat.params, self.made.flat.len)?)
    }

    fn state(&mut self) -> Result<State, Error> {
        self.carried()
    }

    fn set_state(&mut self, state: &State) -> Result<(), Error> {
        self.carry(state)
    }
}

impl DeviceTrainer<'_> {
    /// Copies the next examples of the epoch to the batch, by the device itself.
    fn gather(&mut self, len: usize) -> Result<(), DeviceError> {
        let order = self.made.order + 4 * self.taken as u64;
        self.taken += len;
        self.made.batch.len = len;
        let Resident { inputs, labels, features, .. } = self.made.train;
        let (to, to_labels) = (self.made.batch.inputs, self.made.batch.labels);
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
        self.made.network.free(self.device)?;
        self.made.mixes.free(self.device)?;
        self.made.step.free(self.device)?;
        self.buffers.free(self.device)
    }
}

#[cfg(test)]
mod room;
