//! [`Trainer`]: what a run asks of whoever takes its steps, on the CPU or on a device.

use std::time::Duration;

use presam::{BaseOptimizer, Variant};
use presam_model::Mlp;

use super::network::Network;
use super::plan::Plan;
use super::split::Split;
use super::step::{Step, Stepper};
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
pub(super) struct CpuTrainer<'w, V, B, const M: usize, const S: usize> {
    network: Network<'w>,
    stepper: Stepper<V, B, M, S>,
    steps: Vec<Step>,
}

impl<'w, V, B, const M: usize, const S: usize> CpuTrainer<'w, V, B, M, S>
where
    V: Variant<f32, M, 0>,
    B: BaseOptimizer<f32, S>,
{
    /// A trainer at `params`, before its first step.
    pub fn new(
        mlp: &Mlp<'w>,
        batch: usize,
        (plan, variant, base): (&Plan, V, B),
        params: Vec<f32>,
    ) -> Result<Self, Error> {
        let network = Network::new(mlp.widths(), batch)?;
        let stepper = Stepper::new(plan.clone(), variant, base, params);
        Ok(Self { network, stepper, steps: Vec::new() })
    }
}

impl<V, B, const M: usize, const S: usize> Trainer for CpuTrainer<'_, V, B, M, S>
where
    V: Variant<f32, M, 0>,
    B: BaseOptimizer<f32, S>,
{
    fn begin_epoch(&mut self, _: &[usize]) -> Result<(), Error> {
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
        Ok(self.network.accuracy(&self.stepper.params, &split.test, &split.test.labels)?)
    }

    fn params(&mut self) -> Result<Vec<f32>, Error> {
        Ok(self.stepper.params.clone())
    }
}
