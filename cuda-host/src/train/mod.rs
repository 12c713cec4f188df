//! The main job: trains every method with every seed, on the same data, and compares them.

mod jobs;
mod network;
mod plan;
mod run;
mod split;
mod step;
mod tune;

use crate::config::Config;
use crate::data::Loaded;
use crate::error::Error;
use crate::host::{Host, now};
use crate::progress::Progress;
use crate::report::{
    DataRecord, LabelNoise, Results, Run, SCHEMA_VERSION, Tuned, digest, sentences, summarise,
};
use jobs::run_all;
use plan::Plan;
use run::Job;
use split::{Judge, Split};

/// The whole comparison that `config` describes; `progress` hears of every epoch.
///
/// The same configuration gives the same parameters, bit for bit, whatever the number of threads.
///
/// # Errors
/// Data that cannot be read, a batch larger than the data, or a value outside its range.
pub fn run(config: &Config, progress: &(dyn Fn(Progress<'_>) + Sync)) -> Result<Results, Error> {
    let loaded = config.data.load()?;
    config.training_size(loaded.train.len(), loaded.test.is_some())?;
    let tuning = if config.tune { tune::tune(config, &loaded, progress)? } else { Vec::new() };
    let mut jobs = Vec::new();
    for &label_noise in &config.label_noise {
        // Seeds outermost: the first results of every method arrive early.
        for &seed in &config.seeds {
            for method in &config.methods {
                let plan = tuned_plan(config, method, label_noise, &tuning)?;
                jobs.push(Job { config, plan, label_noise, seed, sharpness: true });
            }
        }
    }
    let runs = run_all(&jobs, &loaded, Judge::Test, config.threads, "training", progress)?;
    results(config, &loaded, tuning, runs)
}

/// The plan with what a tuning chose, or with what is configured.
fn tuned_plan(
    config: &Config,
    method: &str,
    label_noise: f64,
    tuning: &[Tuned],
) -> Result<Plan, Error> {
    let chosen =
        tuning.iter().find(|tuned| tuned.method == method && tuned.label_noise == label_noise);
    let rho = chosen.map(|tuned| tuned.rho);
    let damping = chosen.and_then(|tuned| tuned.damping);
    Ok(Plan::new(config, method, rho, damping)?)
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
        data: data_record(config, loaded)?,
        settings: settings(config)?,
        tuning,
        sentences: sentences(&summary, config),
        digest: digest(&runs),
        runs,
        summary,
    })
}

fn settings(config: &Config) -> Result<serde_json::Value, Error> {
    serde_json::to_value(config).map_err(|error| {
        crate::config::ConfigError::new("settings", "values that JSON can hold", error).into()
    })
}

fn data_record(config: &Config, loaded: &Loaded) -> Result<DataRecord, Error> {
    let mut noise = Vec::new();
    let mut sizes = (0, 0);
    for &label_noise in &config.label_noise {
        let mut wrong = 0.0;
        for &seed in &config.seeds {
            let split = Split::new(config, loaded, label_noise, seed, Judge::Test)?;
            sizes = (split.train.len(), split.test.len());
            wrong += split.wrong as f64 / split.train.len().max(1) as f64;
        }
        let wrong_labels = wrong / config.seeds.len().max(1) as f64;
        noise.push(LabelNoise { label_noise, wrong_labels });
    }
    Ok(DataRecord {
        source: config.data.to_string(),
        features: loaded.train.features,
        classes: loaded.train.classes,
        train_samples: sizes.0,
        test_samples: sizes.1,
        noise,
    })
}
