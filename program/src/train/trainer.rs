//! [`Trainer`]: what a run asks of whoever takes its steps, on the CPU or on a device.

use std::time::Duration;

use presam_model::Mlp;

use super::network::Network;
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
}

impl<'w> CpuTrainer<'w> {
    /// A trainer at `params`, before its first step.
    pub fn new(mlp: &Mlp<'w>, batch: usize, plan: &Plan, params: Vec<f32>) -> Result<Self, Error> {
        let pieces = if plan.micro.is_local() { 1 } else { plan.micro.parts };
        let network = Network::new(mlp.widths(), batch)?.in_pieces(pieces);
        let stepper = Stepper::new(plan.clone(), &network, params);
        Ok(Self { network, stepper, steps: Vec::new() })
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
        let steps = std::mem::take(&mut self.steps);
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
        Ok(self.stepper.state())
    }

    fn set_state(&mut self, state: &State) -> Result<(), Error> {
        self.stepper.set_state(state);
        Ok(())
    }
}
