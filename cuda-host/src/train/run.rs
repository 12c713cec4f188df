//! One training run: from a seed and a plan to its record.

use std::time::{Duration, Instant};

use presam::{AdamW, BaseOptimizer, Configure, Schedule, Sgd, Variant};
use presam_model::init::{he_uniform, shuffle};
use sha2::{Digest, Sha256};

use super::network::{EVALUATION, Network};
use super::plan::Plan;
use super::split::Split;
use super::step::{Step, Stepper};
use crate::config::{BASE_TABLE, Base, Config};
use crate::error::Error;
use crate::report::{Epoch, Run};
use crate::sharpness::{largest_hessian_eigenvalue, sam_sharpness};
use crate::stats::median;

/// Examples that sharpness is measured on: the first of the training set, with the given labels.
const SHARPNESS_SAMPLES: usize = EVALUATION;
/// The radius of the SAM sharpness in the records, the same for every method so that it compares.
pub(super) const SHARPNESS_RHO: f64 = 0.5;

/// One run to be done.
pub(super) struct Job<'a> {
    pub config: &'a Config,
    pub plan: Plan,
    pub label_noise: f64,
    pub seed: u64,
    /// Whether the run ends with sharpness; a tuning does not need it.
    pub sharpness: bool,
}

/// Picks the core's variant by name, with its keys set, and goes on with its type known.
macro_rules! with_variant {
    (($job:ident, $split:ident, $tell:ident)
        $($module:ident: $Variant:ident, memory $m:literal, inputs $i:tt;)*) => {
        match $job.plan.variant {
            $(Some(name) if name == presam::variants::$module::INFO.name => {
                with_variant!(@call $Variant, $m, $i, $job, $split, $tell)
            })*
            _ => with_base::<presam::Sam<f32>, 0>(presam::Sam::new(), $job, $split, $tell),
        }
    };
    (@call $Variant:ident, $m:literal, 0, $job:ident, $split:ident, $tell:ident) => {{
        let mut variant = presam::$Variant::<f32>::default();
        for (key, value) in &$job.plan.keys {
            variant = variant.set(key, *value)?;
        }
        with_base::<_, $m>(variant, $job, $split, $tell)
    }};
    // Masks and preconditioners are the caller's data: the list of methods has none of these.
    (@call $Variant:ident, $m:literal, $i:tt, $job:ident, $split:ident, $tell:ident) => {
        with_base::<presam::Sam<f32>, 0>(presam::Sam::new(), $job, $split, $tell)
    };
}

impl Job<'_> {
    /// Trains; `tell` is called after each epoch.
    pub fn run(&self, split: Split, tell: &dyn Fn()) -> Result<Run, Error> {
        let job = self;
        presam::for_each_variant!(with_variant(job, split, tell))
    }
}

fn with_base<V, const M: usize>(
    variant: V,
    job: &Job<'_>,
    split: Split,
    tell: &dyn Fn(),
) -> Result<Run, Error>
where
    V: Variant<f32, M, 0>,
{
    let key = |name: &str| job.config.setting(BASE_TABLE, name).unwrap_or(0.0) as f32;
    let learning_rate = job.config.learning_rate as f32;
    match job.config.base {
        Base::Sgd => {
            let sgd = Sgd::new(learning_rate)?.with_momentum(key("momentum"))?;
            let sgd =
                sgd.with_dampening(key("dampening"))?.with_weight_decay(key("weight_decay"))?;
            let sgd = if key("nesterov") == 1.0 { sgd.with_nesterov()? } else { sgd };
            train::<_, _, M, 1>(variant, sgd, job, split, tell)
        }
        Base::Adamw => {
            let adamw = AdamW::new(learning_rate)?
                .with_decays(key("mean_decay"), key("square_decay"))?
                .with_denominator_guard(key("denominator_guard"))?
                .with_weight_decay(key("weight_decay"))?;
            train::<_, _, M, 2>(variant, adamw, job, split, tell)
        }
    }
}

fn train<V, B, const M: usize, const S: usize>(
    variant: V,
    base: B,
    job: &Job<'_>,
    mut split: Split,
    tell: &dyn Fn(),
) -> Result<Run, Error>
where
    V: Variant<f32, M, 0>,
    B: BaseOptimizer<f32, S>,
{
    let (config, start) = (job.config, Instant::now());
    let features = split.train.features;
    let hidden = config.hidden.iter().copied();
    let widths: Vec<usize> =
        [features].into_iter().chain(hidden).chain([split.train.classes]).collect();
    let mut network = Network::new(&widths, config.batch)?;
    let mut params = vec![0.0; network.mlp.param_count()];
    he_uniform(&network.mlp, &mut params, &mut split.streams.initialisation)?;
    let mut stepper = Stepper::new(job.plan.clone(), variant, base, params);
    let mut order: Vec<usize> = (0..split.train.len()).collect();
    let batches = order.len().div_ceil(config.batch);
    let total = u32::try_from(batches.saturating_mul(config.epochs)).unwrap_or(u32::MAX);
    let schedule = Schedule::cosine(config.learning_rate as f32, 0.0, total)?;
    let mut history = Vec::with_capacity(config.epochs);
    let mut lengths = Lengths::default();
    for epoch in 1..=config.epochs {
        shuffle(&mut order, &mut split.streams.shuffle);
        let first = lengths.steps;
        let mut loss = 0.0;
        for batch in order.chunks(config.batch) {
            network.gather(&split.train, &split.given, batch);
            let step = stepper.step(&mut network, schedule.at(lengths.steps))?;
            lengths.add(&step);
            loss += f64::from(step.loss) * batch.len() as f64;
        }
        lengths.end_epoch(batches);
        history.push(Epoch {
            epoch,
            learning_rate: f64::from(schedule.at(first)),
            train_loss: loss / order.len().max(1) as f64,
            test_accuracy: network.accuracy(&stepper.params, &split.test, &split.test.labels)?,
        });
        tell();
    }
    record(job, &split, &mut network, &stepper.params, history, &lengths, start)
}

/// Sums over the steps of a run.
#[derive(Default)]
struct Lengths {
    steps: u32,
    perturbed: u32,
    skipped: u32,
    sum: f64,
    /// Time of the steps of the epoch under way.
    time: Duration,
    /// Mean seconds a step, an entry an epoch.
    epochs: Vec<f64>,
}

impl Lengths {
    fn add(&mut self, step: &Step) {
        self.steps += 1;
        self.time += step.time;
        self.skipped += u32::from(!step.descended);
        if step.perturbation != 0.0 {
            self.perturbed += 1;
            self.sum += step.perturbation;
        }
    }
    /// Closes an epoch of so many steps.
    fn end_epoch(&mut self, steps: usize) {
        let time = std::mem::take(&mut self.time);
        self.epochs.push(time.as_secs_f64() / steps.max(1) as f64);
    }
}

fn record(
    job: &Job<'_>,
    split: &Split,
    network: &mut Network<'_>,
    params: &[f32],
    history: Vec<Epoch>,
    lengths: &Lengths,
    start: Instant,
) -> Result<Run, Error> {
    let (hessian_eigenvalue, sam_sharpness) =
        if job.sharpness { sharpness(split, network, params) } else { (None, None) };
    let final_test_accuracy = history.last().map_or(0.0, |epoch| epoch.test_accuracy);
    let per_step = |total: f64, steps: u32| total / f64::from(steps.max(1));
    Ok(Run {
        method: job.plan.method.clone(),
        label_noise: job.label_noise,
        seed: job.seed,
        wrong_labels: split.wrong,
        rho: job.plan.variant.map(|_| job.plan.rho),
        final_test_accuracy,
        best_test_accuracy: history.iter().map(|epoch| epoch.test_accuracy).fold(0.0, f64::max),
        final_train_loss: network.mean_loss(params, &split.train, &split.given)?,
        perturbed_share: per_step(f64::from(lengths.perturbed), lengths.steps),
        skipped_share: per_step(f64::from(lengths.skipped), lengths.steps),
        mean_perturbation_length: per_step(lengths.sum, lengths.perturbed),
        train_accuracy_clean: network.accuracy(params, &split.train, &split.train.labels)?,
        train_accuracy_noisy: network.accuracy(params, &split.train, &split.given)?,
        hessian_eigenvalue,
        sam_sharpness,
        params_sha256: params_sha256(params),
        seconds: start.elapsed().as_secs_f64(),
        seconds_per_step: median(&lengths.epochs).unwrap_or(0.0),
        history,
    })
}

/// The largest Hessian eigenvalue and the SAM sharpness on the fixed samples.
fn sharpness(
    split: &Split,
    network: &mut Network<'_>,
    params: &[f32],
) -> (Option<f64>, Option<f64>) {
    let samples: Vec<usize> = (0..split.train.len().min(SHARPNESS_SAMPLES)).collect();
    network.gather(&split.train, &split.given, &samples);
    let mut loss =
        |params: &[f32], grads: &mut [f32]| network.gradient(params, grads).unwrap_or(f32::NAN);
    let curvature = largest_hessian_eigenvalue(params, 0, &mut loss);
    let rise = sam_sharpness(params, SHARPNESS_RHO, &mut loss);
    (curvature.map(|curvature| curvature.eigenvalue), rise)
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
