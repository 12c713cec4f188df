//! One training run: from a seed and a plan to its record.

use std::time::{Duration, Instant};

use presam::Schedule;
use presam_model::Mlp;
use presam_model::init::{he_uniform, shuffle};
use sha2::{Digest, Sha256};

use super::device::DeviceTrainer;
use super::health::{chance, changes, learned};
use super::measure::{Measure, OnCpu, sharpness};
use super::split::Split;
use super::step::Step;
use super::trainer::{CpuTrainer, Trainer};
use crate::config::{Config, Plan};
use crate::error::Error;
use crate::report::{Ending, Epoch, Run};
use crate::stats::median;
use presam_cuda::Device;

/// One run to be done.
pub(super) struct Job<'a> {
    pub config: &'a Config,
    pub plan: Plan,
    pub label_noise: f64,
    pub seed: u64,
    /// Whether the run ends with sharpness; a tuning does not need it.
    pub sharpness: bool,
}

/// Where a run takes its steps, and whom it tells of each epoch.
pub(super) struct Place<'d> {
    /// The device; the CPU's own loops where there is none.
    pub device: Option<&'d mut Box<dyn Device>>,
    /// Called after each epoch.
    pub tell: &'d dyn Fn(),
}

impl Job<'_> {
    /// Trains at `place`.
    pub fn run(&self, mut split: Split, place: Place<'_>) -> Result<Run, Error> {
        let (config, start) = (self.config, Instant::now());
        let features = split.train.features;
        let hidden = config.hidden.iter().copied();
        let widths: Vec<usize> =
            [features].into_iter().chain(hidden).chain([split.train.classes]).collect();
        let mlp = Mlp::new(&widths)?;
        let mut params = vec![0.0; mlp.param_count()];
        he_uniform(&mlp, &mut params, &mut split.streams.initialisation)?;
        let first = params_sha256(&params);
        let steps = split.train.len().div_ceil(config.batch);
        let Place { device, tell } = place;
        let recorded = Recorded { job: self, start, first };
        let Some(device) = device else {
            let mut trainer = CpuTrainer::new(&mlp, config.batch, &self.plan, params)?;
            let trained = epochs(&mut trainer, self, &mut split, tell)?;
            let mut measured = OnCpu::new(&widths, config.batch, &trained.params, &split)?;
            return recorded.run(&split, &trained, &mut measured);
        };
        let sizes = (config.batch, steps);
        let mut trainer = DeviceTrainer::new(device, &mlp, sizes, &self.plan, &params, &split)?;
        let trained = epochs(&mut trainer, self, &mut split, tell)?;
        let run = if trainer.stands_in() {
            let mut measured = OnCpu::new(&widths, config.batch, &trained.params, &split)?;
            recorded.run(&split, &trained, &mut measured)?
        } else {
            let run = recorded.run(&split, &trained, &mut trainer)?;
            // The last of all: it goes on training.
            trainer.with_shares(run, config.batch.min(split.train.len()))?
        };
        trainer.free()?;
        Ok(run)
    }
}

/// What the epochs of a run leave.
struct Trained {
    history: Vec<Epoch>,
    lengths: Lengths,
    params: Vec<f32>,
}

/// Every epoch of a run.
fn epochs(
    trainer: &mut dyn Trainer,
    job: &Job<'_>,
    split: &mut Split,
    tell: &dyn Fn(),
) -> Result<Trained, Error> {
    let config = job.config;
    let mut order: Vec<usize> = (0..split.train.len()).collect();
    let batches = order.len().div_ceil(config.batch);
    let total = u32::try_from(batches.saturating_mul(config.epochs)).unwrap_or(u32::MAX);
    let schedule = Schedule::cosine(config.learning_rate as f32, 0.0, total)?;
    let mut history = Vec::with_capacity(config.epochs);
    let mut lengths = Lengths::default();
    let mut step = 0;
    for epoch in 1..=config.epochs {
        shuffle(&mut order, &mut split.streams.shuffle);
        trainer.begin_epoch(&order)?;
        let first = step;
        for batch in order.chunks(config.batch) {
            trainer.step(split, batch, schedule.at(step))?;
            step += 1;
        }
        let (steps, time) = trainer.end_epoch()?;
        let mut loss = 0.0;
        let change = steps.iter().find_map(|step| step.change);
        for (step, batch) in steps.iter().zip(order.chunks(config.batch)) {
            lengths.add(step);
            loss += f64::from(step.loss) * batch.len() as f64;
        }
        lengths.end_epoch(batches, time);
        history.push(Epoch {
            epoch,
            learning_rate: f64::from(schedule.at(first)),
            train_loss: loss / order.len().max(1) as f64,
            test_accuracy: trainer.test_accuracy(split)?,
            gradient_change: change.and_then(|change| change.distance),
            equal_gradients: change.map(|change| change.is_none),
        });
        tell();
    }
    Ok(Trained { history, lengths, params: trainer.params()? })
}

/// Sums over the steps of a run.
#[derive(Default)]
struct Lengths {
    steps: u32,
    perturbed: u32,
    skipped: u32,
    sum: f64,
    /// Mean seconds a step, an entry an epoch.
    epochs: Vec<f64>,
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

/// A run that is being recorded.
struct Recorded<'a, 'c> {
    job: &'a Job<'c>,
    start: Instant,
    /// The hash of the first parameters.
    first: String,
}

impl Recorded<'_, '_> {
    /// The record, with what `measured` makes of the parameters.
    fn run(
        &self,
        split: &Split,
        trained: &Trained,
        measured: &mut impl Measure,
    ) -> Result<Run, Error> {
        let (job, Trained { history, lengths, params }) = (self.job, trained);
        let on_training_set = measured.on_training_set()?;
        let (hessian_eigenvalue, sam_sharpness) =
            if job.sharpness { sharpness(measured, params)? } else { (None, None) };
        let final_test_accuracy = history.last().map_or(0.0, |epoch| epoch.test_accuracy);
        let per_step = |total: f64, steps: u32| total / f64::from(steps.max(1));
        let seconds_per_step = median(&lengths.epochs).unwrap_or(0.0);
        let steps_an_epoch = split.train.len().div_ceil(job.config.batch.max(1)) as f64;
        let seconds_an_epoch = seconds_per_step * steps_an_epoch;
        let is_timed = seconds_an_epoch > 0.0;
        let skipped_share = per_step(f64::from(lengths.skipped), lengths.steps);
        let params_sha256 = params_sha256(params);
        let chance = chance(&split.test.labels);
        let ending = if !on_training_set.loss.is_finite() || skipped_share >= 0.5 {
            Ending::Diverged
        } else if params_sha256 == self.first {
            Ending::NeverMoved
        } else {
            learned(final_test_accuracy, chance, split.test.len())
        };
        let (gradient_change, equal_gradients_share) = changes(history);
        Ok(Run {
            method: job.plan.method.clone(),
            label_noise: job.label_noise,
            seed: job.seed,
            wrong_labels: split.wrong,
            rho: job.plan.variant.map(|_| job.plan.rho),
            final_test_accuracy,
            best_test_accuracy: history.iter().map(|epoch| epoch.test_accuracy).fold(0.0, f64::max),
            final_train_loss: on_training_set.loss,
            perturbed_share: per_step(f64::from(lengths.perturbed), lengths.steps),
            skipped_share,
            ending,
            chance,
            gradient_change,
            equal_gradients_share,
            mean_perturbation_length: per_step(lengths.sum, lengths.perturbed),
            train_accuracy_clean: on_training_set.clean,
            train_accuracy_noisy: on_training_set.noisy,
            hessian_eigenvalue,
            sam_sharpness,
            params_sha256,
            seconds: self.start.elapsed().as_secs_f64(),
            seconds_per_step,
            samples_per_second: is_timed.then(|| split.train.len() as f64 / seconds_an_epoch),
            forward_share: None,
            backward_share: None,
            ascent_share: None,
            descent_share: None,
            history: history.clone(),
        })
    }
}

/// SHA-256 over the little-endian bits of the parameters; a NaN is hashed in one canonical form.
fn params_sha256(params: &[f32]) -> String {
    let mut hash = Sha256::new();
    for &param in params {
        let bits = if param.is_nan() { 0x7fc0_0000 } else { param.to_bits() };
        hash.update(bits.to_le_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
