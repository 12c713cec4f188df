//! [`Trainer`]: what a run asks of whoever takes its steps, on the CPU or on a device.

use std::time::Duration;

use presam_model::Mlp;

use super::network::Network;
use super::ranks::Ranks;
use super::split::Split;
use super::state::State;
use super::step::{Step, Stepper};
use crate::config::Plan;
use crate::error::Error;

/// Takes the steps of a run.
pub(super) trait Trainer {
    /// Told before each epoch, counted from 1, which examples it will take, in order.
    fn begin_epoch(&mut self, epoch: usize, order: &[usize]) -> Result<(), Error>;
    /// Takes, or queues, one step on these examples, the next of the epoch's; without a perturbation the base
    /// optimizer steps alone.
    fn step(
        &mut self,
        split: &Split,
        batch: &[usize],
        learning_rate: f32,
        perturbs: bool,
    ) -> Result<(), Error>;
    /// Waits for the steps since the last call and tells what each did, and the time of all.
    fn end_epoch(&mut self) -> Result<(Vec<Step>, Duration), Error>;
    /// Accuracy on the test set.
    fn test_accuracy(&mut self, split: &Split) -> Result<f64, Error>;
    /// The parameters.
    fn params(&mut self) -> Result<Vec<f32>, Error>;
    /// All that it carries from one epoch to the next, in the same form everywhere.
    fn state(&mut self) -> Result<State, Error>;
    /// Goes on from such a state, of the same shape.
    fn set_state(&mut self, state: &State) -> Result<(), Error>;
}

/// The core's loops and the network's own.
pub(super) struct CpuTrainer<'w> {
    network: Network<'w>,
    stepper: Stepper,
    steps: Vec<Step>,
    /// Those whose parts perturb each by itself; one process where all do together.
    apart: Ranks<'w>,
}

impl<'w> CpuTrainer<'w> {
    /// A trainer at `params`, before its first step.
    pub fn new(
        mlp: &Mlp<'w>,
        batch: usize,
        plan: &Plan,
        params: Vec<f32>,
        ranks: Ranks<'w>,
    ) -> Result<Self, Error> {
        let network = Network::new(mlp.widths(), batch)?.in_pieces(plan.micro.parts, ranks);
        let stepper = Stepper::new(plan.clone(), &network, params);
        let apart = if plan.micro.is_local() { ranks } else { Ranks::ALONE };
        Ok(Self { network, stepper, steps: Vec::new(), apart })
    }
}

impl Trainer for CpuTrainer<'_> {
    fn begin_epoch(&mut self, epoch: usize, _: &[usize]) -> Result<(), Error> {
        self.stepper.begin_epoch(epoch)
    }

    fn step(
        &mut self,
        split: &Split,
        batch: &[usize],
        learning_rate: f32,
        perturbs: bool,
    ) -> Result<(), Error> {
        self.network.gather(&split.train, &split.given, batch);
        self.steps.push(self.stepper.step(&mut self.network, learning_rate, perturbs)?);
        Ok(())
    }

    fn end_epoch(&mut self) -> Result<(Vec<Step>, Duration), Error> {
        let mut steps = std::mem::take(&mut self.steps);
        // Each rank has its own part's share of the lengths.
        let own = || steps.iter().flat_map(|step| step.perturbation.to_le_bytes()).collect();
        if let Some(found) = self.apart.gather(own) {
            for (number, step) in steps.iter_mut().enumerate() {
                let share = |bytes: &Vec<u8>| bytes.as_chunks().0.get(number).copied();
                step.perturbation = found.iter().filter_map(share).map(f64::from_le_bytes).sum();
            }
        }
        let time = steps.iter().map(|step| step.time).sum();
        Ok((steps, time))
    }

    fn test_accuracy(&mut self, split: &Split) -> Result<f64, Error> {
        Ok(self.network.accuracy(self.stepper.params(), &split.test, &split.test.labels)?)
    }

    fn params(&mut self) -> Result<Vec<f32>, Error> {
        Ok(self.stepper.params().to_vec())
    }

    fn state(&mut self) -> Result<State, Error> {
        Ok(self.stepper.state().of_all(self.apart))
    }

    fn set_state(&mut self, state: &State) -> Result<(), Error> {
        self.stepper.set_state(state);
        Ok(())
    }
}
