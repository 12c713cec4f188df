//! The main job: trains every method with every seed, on the same data, and compares them.

mod checkpoint;
mod cost;
mod course;
mod device;
mod health;
mod job;
mod jobs;
mod measure;
mod model;
mod network;
mod pieces;
mod ranks;
mod run;
mod split;
mod state;
mod step;
mod trainer;
mod tune;

use crate::config::{Config, ConfigError, Plan};
use crate::data::{Dataset, Loaded};
use crate::error::Error;
use crate::machine::{Host, now};
use crate::progress::Progress;
use crate::report::{
    DataRecord, LabelNoise, Measure, Results, Run, SCHEMA_VERSION, Tuned, digest, sentences,
    summarise,
};
use crate::stats::mean;
pub use checkpoint::Checkpoints;
use checkpoint::{Keeper, data_sha256};
pub(crate) use cost::cost;
use job::Job;
use jobs::{Watch, run_all};
use presam_cuda::Device;
pub use ranks::Peers;
use ranks::Ranks;
use split::Judge;

/// One gibibyte a plane; a run keeps four of them and more.
const MOST_PARAMS: usize = 1 << 28;

/// The whole comparison that `config` describes; `progress` hears of every epoch.
///
/// The same configuration gives the same parameters, bit for bit, whatever the number of threads and
/// whatever the device.
///
/// # Errors
/// Data that cannot be read, a batch larger than the data, a value outside its range, or a device that
/// is not there.
pub fn run(config: &Config, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Results, Error> {
    run_kept(config, None, progress)
}

/// The same, kept on disk while it runs: what it comes to does not depend on how often it was interrupted.
///
/// # Errors
/// As [`run`]; a folder or a checkpoint that is refused; [`Error::Interrupted`].
pub fn run_kept(
    config: &Config,
    checkpoints: Option<&Checkpoints<'_>>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Results, Error> {
    let mut device = config.device.open()?;
    compare(config, Ranks::ALONE, checkpoints, progress, device.as_mut())
}

/// The same by several processes, each of which takes one of as many parts of every batch, on the CPU, and comes to the
/// results of one process that takes them all. The first one alone reads and writes checkpoints.
///
/// # Errors
/// As [`run_kept`]; processes with other settings, data or parameters than the first one.
pub fn run_ranks(
    config: &Config,
    peers: &dyn Peers,
    checkpoints: Option<&Checkpoints<'_>>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Results, Error> {
    // Runs one after the other: every rank takes part in each.
    let config = Config { parts: peers.size(), threads: 1, ..config.clone() };
    compare(&config, Ranks::of(peers), checkpoints, progress, None)
}

/// The same on a device that is open already, whatever `config` names; `None` is the CPU.
///
/// # Errors
/// As [`run`].
pub fn run_on(
    config: &Config,
    progress: &(dyn Fn(Progress<'_>) + Sync),
    device: Option<&mut Box<dyn Device>>,
) -> Result<Results, Error> {
    compare(config, Ranks::ALONE, None, progress, device)
}

fn compare(
    config: &Config,
    ranks: Ranks<'_>,
    checkpoints: Option<&Checkpoints<'_>>,
    progress: &(dyn Fn(Progress<'_>) + Sync),
    mut device: Option<&mut Box<dyn Device>>,
) -> Result<Results, Error> {
    let loaded = config.data.load()?;
    config.training_size(loaded.train.len(), loaded.test.is_some())?;
    model_size(config, &loaded)?;
    let settings = settings(config)?;
    ranks.begin(|| {
        let (version, kept) = (env!("CARGO_PKG_VERSION"), checkpoints.map(|kept| kept.every));
        format!("{version} {settings} {kept:?} {}", data_sha256(&loaded))
    })?;
    let keeper = checkpoints.map(|kept| Keeper::open(kept, &loaded, ranks)).transpose()?;
    let watch = Watch { progress, keeper: keeper.as_ref(), ranks };
    if let Some(cost) = cost(config, &loaded)? {
        progress(Progress::Note(&cost));
    }
    let tuning = tune::tune(config, &loaded, watch, device.as_deref_mut())?;
    let chosen = |&level: &f64| {
        let own = tuning.iter().filter(|tuned| tuned.label_noise == level);
        (level, config.tuned(own.map(Tuned::chosen)))
    };
    let levels: Vec<(f64, Config)> = config.label_noise.iter().map(chosen).collect();
    let mut jobs = Vec::new();
    for (label_noise, config) in &levels {
        // Seeds outermost: the first results of every method arrive early.
        for &seed in &config.seeds {
            for method in &config.methods {
                let plan = Plan::new(config, method, None, None)?;
                jobs.push(Job { config, plan, label_noise: *label_noise, seed, sharpness: true });
            }
        }
    }
    let runs = run_all(&jobs, &loaded, Judge::Test, config.threads, "training", watch, device)?;
    results(config, &loaded, tuning, runs)
}

/// Refuses a model that would fill the memory before its first step.
fn model_size(config: &Config, loaded: &Loaded) -> Result<(), ConfigError> {
    let mut inputs = loaded.train.features;
    let mut params = 0_usize;
    for &width in config.hidden.iter().chain([&loaded.train.classes]) {
        params = params.saturating_add(inputs.saturating_add(1).saturating_mul(width));
        inputs = width;
    }
    if params > MOST_PARAMS {
        let expected = format!("a model of at most {MOST_PARAMS} parameters");
        return Err(ConfigError::new("--hidden", expected, params));
    }
    Ok(())
}

fn results(
    config: &Config,
    loaded: &Loaded,
    tuning: Vec<Tuned>,
    mut runs: Vec<Run>,
) -> Result<Results, Error> {
    // Rows method by method, in the order they were asked for.
    let position = |run: &Run| config.methods.iter().position(|name| *name == run.method);
    let level = |run: &Run| config.label_noise.iter().position(|noise| *noise == run.label_noise);
    runs.sort_by_key(|run| (level(run), position(run)));
    let summary = summarise(&runs);
    Ok(Results {
        schema_version: SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: Host::detect(config.threads),
        date: now(),
        command: config.command(),
        data: data_record(config, loaded, &runs)?,
        settings: settings(config)?,
        sentences: sentences(&summary, config, &tuning),
        tuning,
        digest: digest(&runs),
        runs,
        summary,
    })
}

fn settings(config: &Config) -> Result<serde_json::Value, Error> {
    serde_json::to_value(config)
        .map_err(|error| ConfigError::new("settings", "values that JSON can hold", error).into())
}

fn data_record(config: &Config, loaded: &Loaded, runs: &[Run]) -> Result<DataRecord, ConfigError> {
    let available = loaded.train.len();
    let train_samples = config.training_size(available, loaded.test.is_some())?;
    let wrong = |level: f64| {
        let own = runs.iter().filter(|run| run.label_noise == level);
        mean(&own.map(|run| run.wrong_labels).collect::<Vec<_>>()).unwrap_or(0.0)
    };
    let level = |&label_noise: &f64| LabelNoise { label_noise, wrong_labels: wrong(label_noise) };
    Ok(DataRecord {
        source: config.data.to_string(),
        features: loaded.train.features,
        classes: loaded.train.classes,
        smallest_label: loaded.labels.first().copied().unwrap_or(0),
        largest_label: loaded.labels.last().copied().unwrap_or(0),
        mean: loaded.mean,
        deviation: loaded.deviation,
        train_samples,
        test_samples: loaded.test.as_ref().map_or(available - train_samples, Dataset::len),
        measure: Measure::Accuracy,
        noise: config.label_noise.iter().map(level).collect(),
    })
}
