//! [`Trainer`]: what a run asks of whoever takes its steps, on the CPU or on a device.

use std::time::Duration;

use presam_model::Mlp;

use super::network::Network;
use super::split::Split;
use super::step::{Step, Stepper};
use crate::config::Plan;
use crate::error::Error;

/// Takes the steps of a run.
pub(super) trait Trainer {
    /// Told before each epoch which examples it will take, in order.
    fn begin_epoch(&mut self, order: &[usize]) -> Result<(), Error>;
    /// Takes, or queues, one step on these examples, the next of the epoch's.
    fn step(&mut self, split: &Split, batch: &[usize], learning_rate: f32) -> Result<(), Error>;
    /// Waits for the steps since the last call and tells what each did, and the time of all.
    fn end_epoch(&mut self) -> Result<(Vec<Step>, Duration), Error>;
    /// Accuracy on the test set.
    fn test_accuracy(&mut self, split: &Split) -> Result<f64, Error>;
    /// The parameters.
    fn params(&mut self) -> Result<Vec<f32>, Error>;
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
        let network = Network::new(mlp.widths(), batch)?;
        let stepper = Stepper::new(plan.clone(), &network, params);
        Ok(Self { network, stepper, steps: Vec::new() })
    }
}

impl Trainer for CpuTrainer<'_> {
    fn begin_epoch(&mut self, _: &[usize]) -> Result<(), Error> {
        self.stepper.look_at_gradients();
        Ok(())
    }

    fn step(&mut self, split: &Split, batch: &[usize], learning_rate: f32) -> Result<(), Error> {
        self.network.gather(&split.train, &split.given, batch);
        self.steps.push(self.stepper.step(&mut self.network, learning_rate)?);
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
}
