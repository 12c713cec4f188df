//! Records of several files: the pieces of one study become one record, so that what is compared stands in one table.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::digest::digest;
use super::records::{DataRecord, Results, Run, Tuned};
use super::sentences::sentences;
use super::summary::summarise;
use crate::config::{Config, ConfigError, Options, resolve};
use crate::machine::Host;
use crate::show::table::percent;
use crate::stats::distinct;

/// Settings in which the pieces of a study may differ.
const FREE: [&str; 7] = ["methods", "label_noise", "noise", "seeds", "search", "threads", "out"];

/// A record and the files that it is from.
#[derive(Debug)]
pub struct Study {
    /// One, or the pieces in the order in which they were named.
    pub files: Vec<PathBuf>,
    /// What they hold.
    pub results: Results,
    /// Whether all of it was computed on one machine by as many threads.
    one_machine: bool,
}

impl Study {
    /// The names of its files.
    pub fn name(&self) -> String {
        let names = self.files.iter().map(|file| file.display().to_string());
        names.collect::<Vec<_>>().join(", ")
    }
}

/// Puts together what belongs together; the order of the files stays.
///
/// # Errors
/// A method that shares no seed with SAM where SAM is: nothing can be paired.
pub fn studies(
    files: impl IntoIterator<Item = (PathBuf, Results)>,
) -> Result<Vec<Study>, ConfigError> {
    let mut studies: Vec<Study> = Vec::new();
    for (file, results) in files {
        match studies.iter_mut().find(|study| is_one(&study.results, &results)) {
            Some(study) => {
                study.one_machine &= machine(&study.results) == machine(&results);
                join(&mut study.results, results);
                study.files.push(file);
            }
            None => studies.push(Study { files: vec![file], results, one_machine: true }),
        }
    }
    for study in &mut studies {
        paired(study)?;
        study.results.summary = summarise(&study.results.runs);
        if !study.one_machine {
            // Times of one machine say nothing beside those of another.
            let rows = &mut study.results.summary;
            rows.iter_mut().for_each(|row| row.time_per_step_over_sgd = None);
        }
        if study.files.len() > 1 {
            told_anew(&mut study.results);
        }
    }
    Ok(studies)
}

/// What times depend on.
fn machine(results: &Results) -> (&Host, Option<&Value>) {
    (&results.host, results.settings.get("threads"))
}

/// Whether two records are of one study: the same data and settings, and no run of one that the other has otherwise.
fn is_one(a: &Results, b: &Results) -> bool {
    let data = |data: &DataRecord| DataRecord { noise: Vec::new(), ..data.clone() };
    let is_bound = |(key, _): &(&String, &Value)| !FREE.contains(&key.as_str());
    let settings = match (&a.settings, &b.settings) {
        (Value::Object(a), Value::Object(b)) => a
            .iter()
            .filter(is_bound)
            .all(|(key, value)| b.get(key).is_none_or(|other| agree(value, other))),
        (a, b) => a == b,
    };
    let rate = |run: &Run| run.history.first().map(|epoch| epoch.learning_rate);
    let runs = a.runs.iter().flat_map(|run| b.runs.iter().map(move |other| (run, other)));
    let mut rivals = runs.filter(|(a, b)| a.method == b.method && a.label_noise == b.label_noise);
    data(&a.data) == data(&b.data)
        && settings
        && rivals.all(|(a, b)| {
            let is_same = a.seed != b.seed || a.params_sha256 == b.params_sha256;
            is_same && a.rho == b.rho && rate(a) == rate(b)
        })
}

/// Whether two settings are equal; of those by method (radii, keys), whether the methods that both have are.
fn agree(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.iter().all(|(key, value)| b.get(key).is_none_or(|other| agree(value, other)))
        }
        _ => a == b,
    }
}

/// Adds to `whole` what it does not have yet.
fn join(whole: &mut Results, piece: Results) {
    for run in piece.runs {
        let place = |run: &Run| (run.label_noise, run.seed);
        let is_known = |own: &Run| place(own) == place(&run) && own.method == run.method;
        if !whole.runs.iter().any(is_known) {
            whole.runs.push(run);
        }
    }
    for tuned in piece.tuning {
        let is_known =
            |own: &Tuned| own.method == tuned.method && own.label_noise == tuned.label_noise;
        if !whole.tuning.iter().any(is_known) {
            whole.tuning.push(tuned);
        }
    }
    for noise in piece.data.noise {
        if !whole.data.noise.iter().any(|own| own.label_noise == noise.label_noise) {
            whole.data.noise.push(noise);
        }
    }
    if let (Value::Object(whole), Value::Object(piece)) = (&mut whole.settings, piece.settings) {
        merge(whole, piece);
    }
    if whole.command != piece.command {
        whole.command += &format!("\n{}", piece.command);
    }
    whole.date = std::mem::take(&mut whole.date).max(piece.date);
}

/// Lists and tables get what they lack; single values stay.
fn merge(whole: &mut Map<String, Value>, piece: Map<String, Value>) {
    for (key, value) in piece {
        match (whole.get_mut(&key), value) {
            (None, value) => {
                whole.insert(key, value);
            }
            (Some(Value::Array(own)), Value::Array(more)) => {
                let new: Vec<Value> = more.into_iter().filter(|item| !own.contains(item)).collect();
                own.extend(new);
            }
            (Some(Value::Object(own)), Value::Object(more)) => merge(own, more),
            (Some(_), _) => {}
        }
    }
}

/// What is told of the pieces together. Where `presam train` made them, and they are all runs of one, one command repeats
/// them.
fn told_anew(results: &mut Results) {
    let options = serde_json::from_value::<Options>(results.settings.clone()).ok();
    let config: Option<Config> = options.and_then(|options| resolve(options).ok());
    results.sentences = match &config {
        Some(config) => sentences(&results.summary, config, &results.tuning),
        None => Vec::new(),
    };
    let is_whole = |config: &Config| {
        let each = config.methods.len() * config.label_noise.len() * config.seeds.len();
        each == results.runs.len()
    };
    if let Some(config) = config.filter(is_whole) {
        results.command = config.command();
    }
    results.digest = digest(&results.runs);
}

/// Refuses a method that has no seed in common with SAM.
fn paired(study: &Study) -> Result<(), ConfigError> {
    let runs = &study.results.runs;
    for level in study.results.noise_levels() {
        let own = || runs.iter().filter(|run| run.label_noise == level);
        let seeds = |method: &str| -> Vec<u64> {
            own().filter(|run| run.method == method).map(|run| run.seed).collect()
        };
        let sam = seeds("sam");
        for method in distinct(own().map(|run| run.method.as_str())) {
            let seeds = seeds(method);
            if !sam.is_empty() && !seeds.iter().any(|seed| sam.contains(seed)) {
                let expected =
                    format!("a seed that sam and {method} share at noise {} %", percent(level));
                let found = format!("sam {}, {method} {}", range(&sam), range(&seeds));
                return Err(ConfigError::new(study.name(), expected, found));
            }
        }
    }
    Ok(())
}

/// `seed 3`, or `5 seeds from 0 to 4`.
fn range(seeds: &[u64]) -> String {
    let ends = seeds.iter().min().zip(seeds.iter().max());
    match ends {
        Some((low, high)) if low != high => format!("{} seeds from {low} to {high}", seeds.len()),
        Some((low, _)) => format!("seed {low}"),
        None => "none".to_owned(),
    }
}
