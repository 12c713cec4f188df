//! [`Course`]: how far a run has come; the epochs that take it on.

use std::time::{Duration, Instant};

use presam::Schedule;
use presam_model::init::shuffle;
use serde::{Deserialize, Serialize};

use super::job::Job;
use super::split::Split;
use super::step::Step;
use super::trainer::Trainer;
use crate::error::Error;
use crate::report::Epoch;

/// What is done behind each epoch.
type After<'a> = dyn FnMut(&Course, &mut dyn Trainer, &Split) -> Result<(), Error> + 'a;

/// What the epochs of a run have left so far, beside what its trainer carries.
#[derive(Clone)]
pub(super) struct Course {
    pub history: Vec<Epoch>,
    pub lengths: Lengths,
    /// The examples in the order of the last epoch: the next one shuffles it further.
    pub order: Vec<usize>,
    /// Seconds before this process took the run on.
    before: f64,
    start: Instant,
}

impl Course {
    /// Before the first epoch over so many examples.
    pub fn new(examples: usize) -> Self {
        Self::at(Vec::new(), Lengths::default(), (0..examples).collect(), 0.0)
    }

    /// Behind the epochs of `history`, which took `seconds`.
    pub fn at(history: Vec<Epoch>, lengths: Lengths, order: Vec<usize>, seconds: f64) -> Self {
        Self { history, lengths, order, before: seconds, start: Instant::now() }
    }

    /// Seconds that the run has taken, in all processes together.
    pub fn seconds(&self) -> f64 {
        self.before + self.start.elapsed().as_secs_f64()
    }

    /// The epochs that are left; `after` hears of each.
    pub fn take(
        &mut self,
        trainer: &mut dyn Trainer,
        job: &Job<'_>,
        split: &mut Split,
        after: &mut After<'_>,
    ) -> Result<(), Error> {
        let config = job.config;
        let batches = self.order.len().div_ceil(config.batch);
        let part = job.plan.part;
        let total = u32::try_from(batches.saturating_mul(part.epochs)).unwrap_or(u32::MAX);
        let schedule = Schedule::cosine(config.learning_rate as f32, 0.0, total)?;
        let done = self.history.len();
        let mut step = u32::try_from(batches.saturating_mul(done)).unwrap_or(u32::MAX);
        for epoch in done + 1..=part.epochs {
            shuffle(&mut self.order, &mut split.streams.shuffle);
            trainer.begin_epoch(epoch, &self.order)?;
            let first = step;
            for batch in self.order.chunks(config.batch) {
                let perturbs = part.perturbs(step as usize, batches);
                trainer.step(split, batch, schedule.at(step), perturbs)?;
                step += 1;
            }
            let (steps, time) = trainer.end_epoch()?;
            let mut loss = 0.0;
            let change = steps.iter().find_map(|step| step.change);
            for (step, batch) in steps.iter().zip(self.order.chunks(config.batch)) {
                self.lengths.add(step);
                loss += f64::from(step.loss) * batch.len() as f64;
            }
            self.lengths.end_epoch(batches, time);
            self.history.push(Epoch {
                epoch,
                learning_rate: f64::from(schedule.at(first)),
                train_loss: loss / self.order.len().max(1) as f64,
                test_accuracy: trainer.test_accuracy(split)?,
                gradient_change: change.and_then(|change| change.distance),
                equal_gradients: change.map(|change| change.is_none),
            });
            after(self, trainer, split)?;
        }
        Ok(())
    }
}

/// Sums over the steps of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Lengths {
    pub steps: u32,
    pub perturbed: u32,
    pub skipped: u32,
    pub sum: f64,
    /// Mean seconds a step, an entry an epoch.
    pub epochs: Vec<f64>,
}

impl Lengths {
    fn add(&mut self, step: &Step) {
        self.steps += 1;
        self.skipped += u32::from(!step.descended);
        if step.perturbation != 0.0 {
            self.perturbed += 1;
            self.sum += step.perturbation;
        }
    }

    /// Closes an epoch of so many steps.
    fn end_epoch(&mut self, steps: usize, time: Duration) {
        self.epochs.push(time.as_secs_f64() / steps.max(1) as f64);
    }
}
