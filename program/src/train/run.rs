//! One training run: from a seed and a plan to its record.

use presam_model::Mlp;
use presam_model::init::he_uniform;
use sha2::{Digest, Sha256};

use super::checkpoint::{Going, Kept};
use super::course::Course;
use super::device::DeviceTrainer;
use super::health::{chance, changes, learned};
use super::job::Job;
use super::measure::{Measure, OnCpu, sharpness};
use super::ranks::Ranks;
use super::split::Split;
use super::trainer::{CpuTrainer, Trainer};
use crate::error::Error;
use crate::report::{Ending, Run, hex};
use crate::stats::median;
use presam_cuda::Device;

/// Where a run takes its steps, whom it tells of each epoch, and where it is kept.
pub(super) struct Place<'d> {
    /// The device; the CPU's own loops where there is none.
    pub device: Option<&'d mut Box<dyn Device>>,
    /// The processes that take its parts.
    pub ranks: Ranks<'d>,
    /// Called after each epoch.
    pub tell: &'d dyn Fn(),
    /// Its file; `None` where nothing is kept.
    pub kept: Option<&'d Kept<'d>>,
    /// Where an earlier process left it.
    pub from: Option<Box<Going>>,
}

impl Job<'_> {
    /// Trains at `place`.
    pub fn run(&self, mut split: Split, place: Place<'_>) -> Result<Run, Error> {
        let config = self.config;
        let features = split.train.features;
        let hidden = config.hidden.iter().copied();
        let widths: Vec<usize> =
            [features].into_iter().chain(hidden).chain([split.train.classes]).collect();
        let mlp = Mlp::new(&widths)?;
        let mut params = vec![0.0; mlp.param_count()];
        he_uniform(&mlp, &mut params, &mut split.streams.initialisation)?;
        let first = params_sha256(&params);
        let steps = split.train.len().div_ceil(config.batch);
        let Place { device, ranks, tell, kept, from } = place;
        let recorded = Recorded { job: self, first };
        let way = Way { job: self, ranks, tell, kept };
        let Some(device) = device else {
            let mut trainer = CpuTrainer::new(&mlp, config.batch, &self.plan, params, ranks)?;
            let trained = way.go(&mut trainer, &mut split, from)?;
            let mut measured = OnCpu::new(&widths, config.batch, &trained.params, &split)?;
            return recorded.run(&split, &trained, &mut measured);
        };
        let sizes = (config.batch, steps);
        let mut trainer = DeviceTrainer::new(device, &mlp, sizes, &self.plan, &params, &split)?;
        let trained = way.go(&mut trainer, &mut split, from)?;
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

/// A run on its way through the epochs.
struct Way<'a> {
    job: &'a Job<'a>,
    ranks: Ranks<'a>,
    tell: &'a dyn Fn(),
    kept: Option<&'a Kept<'a>>,
}

impl Way<'_> {
    /// From the first epoch, or from where it was left, to the last one.
    fn go(
        &self,
        trainer: &mut dyn Trainer,
        split: &mut Split,
        from: Option<Box<Going>>,
    ) -> Result<Trained, Error> {
        let mut course = match from {
            Some(going) => self.resume(trainer, split, *going)?,
            None => Course::new(split.train.len()),
        };
        course.take(trainer, self.job, split, &mut |course, trainer, split| {
            (self.tell)();
            let epoch = course.history.len();
            self.ranks.end_epoch(epoch, || Ok(params_sha256(&trainer.params()?)))?;
            match self.kept {
                // Behind the last epoch the record follows.
                Some(kept) if epoch < self.job.plan.part.epochs => kept.epoch_ended(epoch, || {
                    let (state, drawn) = (trainer.state()?, split.streams.shuffle.get_word_pos());
                    Ok(Going { course: course.clone(), state, drawn })
                }),
                _ => Ok(()),
            }
        })?;
        Ok(Trained { course, params: trainer.params()? })
    }

    /// Puts trainer and generator where they were.
    fn resume(
        &self,
        trainer: &mut dyn Trainer,
        split: &mut Split,
        going: Going,
    ) -> Result<Course, Error> {
        let Going { course, state, drawn } = going;
        let mut order = course.order.clone();
        order.sort_unstable();
        let whole = order.into_iter().eq(0..split.train.len());
        if !(whole && state.fits(&trainer.state()?)) {
            let refused = |kept: &Kept<'_>| {
                kept.refused("a checkpoint of this network and method", "planes of another shape")
            };
            return self.kept.map_or(Ok(course), |kept| Err(refused(kept)));
        }
        trainer.set_state(&state)?;
        split.streams.shuffle.set_word_pos(drawn);
        Ok(course)
    }
}

/// What the epochs of a run leave.
struct Trained {
    course: Course,
    params: Vec<f32>,
}

/// A run that is being recorded.
struct Recorded<'a, 'c> {
    job: &'a Job<'c>,
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
        let (job, Trained { course, params }) = (self.job, trained);
        let Course { history, lengths, .. } = course;
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
            gradients: job.plan.part.gradients(split.train.len().div_ceil(job.config.batch.max(1))),
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
            seconds: course.seconds(),
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
    hex(hash.finalize())
}
