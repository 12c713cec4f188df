//! What decides a run's bits: two runs with these settings in common are one run.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::folder::EXTENSION;
use crate::config::{BASE_TABLE, ConfigError};
use crate::data::{Dataset, Loaded};
use crate::report::hex;
use crate::train::job::Job;
use crate::train::split::Judge;

/// Keys of a configuration that decide which runs there are, or where they are taken; the radii and keys of the other
/// methods go with them. What a tuning or a search found is the run's: its learning rate, its radius, its plan.
const NOT_THE_RUN_S: [&str; 10] = [
    "device",
    "label_noise",
    "methods",
    "rho",
    "search",
    "seeds",
    "set",
    "threads",
    "tune",
    "tune_seeds",
];

type Settings = BTreeMap<String, Value>;

/// The settings of a run.
pub(super) fn settings(job: &Job<'_>, judge: Judge, data: &str) -> Result<Settings, ConfigError> {
    let config = serde_json::to_value(job.config)
        .map_err(|error| ConfigError::new("settings", "values that JSON can hold", error))?;
    let Value::Object(mut all) = config else { return Ok(Settings::new()) };
    all.retain(|key, _| !NOT_THE_RUN_S.contains(&key.as_str()));
    let mut settings: Settings = all.into_iter().collect();
    let mut insert = |key: &str, value: Value| settings.insert(key.to_owned(), value);
    let method = &job.plan.method;
    for owner in [method.as_str(), BASE_TABLE] {
        for (key, value) in job.config.set.get(owner).into_iter().flatten() {
            insert(&format!("{owner}.{key}"), json!(value));
        }
    }
    insert("method", json!(method));
    insert("label_noise", json!(job.label_noise));
    insert("seed", json!(job.seed));
    insert("rho", json!(job.plan.rho));
    insert("judge", json!(format!("{judge:?}").to_lowercase()));
    insert("sha256 of the data", json!(data));
    // What a tuning sets past the configuration, and whatever else makes another method of it.
    let plan = hex(Sha256::digest(format!("{:?}", job.plan)));
    insert("sha256 of the method's plan", json!(plan));
    Ok(settings)
}

/// The file's name: readable, and of no two runs of a comparison the same.
pub(super) fn name(job: &Job<'_>, judge: Judge, settings: &Settings) -> String {
    let run = format!("{}-noise{}-seed{}", job.plan.method, job.label_noise, job.seed);
    match judge {
        Judge::Test => format!("{run}{EXTENSION}"),
        // Trials differ in what is tuned.
        Judge::Validation => {
            let all = hex(Sha256::digest(json!(settings).to_string()));
            let first: String = all.chars().take(8).collect();
            format!("tuning-{run}-{first}{EXTENSION}")
        }
    }
}

/// The first setting in which two runs differ, as asked for and as found.
pub(super) fn difference(asked: &Settings, found: &Settings) -> Option<(String, String)> {
    let key = asked.keys().chain(found.keys()).find(|key| asked.get(*key) != found.get(*key))?;
    let told = |settings: &Settings| match settings.get(key) {
        Some(value) => format!("{key} = {value}"),
        None => format!("no setting {key}"),
    };
    Some((told(asked), told(found)))
}

/// SHA-256 of every example, so that other data under the same name are found out.
pub(in crate::train) fn data_sha256(loaded: &Loaded) -> String {
    let mut hash = Sha256::new();
    let sets: [Option<&Dataset>; 2] = [Some(&loaded.train), loaded.test.as_ref()];
    for set in sets.into_iter().flatten() {
        for inputs in set.inputs.chunks(1024) {
            let bytes: Vec<u8> = inputs.iter().flat_map(|input| input.to_le_bytes()).collect();
            hash.update(bytes);
        }
        hash.update(&set.labels);
    }
    hex(hash.finalize())
}
