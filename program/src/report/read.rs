//! A results.json read again: one of `presam train`, of `python/benchmarks/vision.py`, or an older one of either.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::records::{Results, Run, SCHEMA_VERSION};
use crate::config::ConfigError;
use crate::show::table::percent;
use crate::tilde::unreplaced;

/// The name of the file in the folder of a run.
const NAME: &str = "results.json";
const EXPECTED: &str = "a results.json of presam train or vision.py";

/// The file, or the results.json of the folder, and what it holds.
///
/// # Errors
/// A file that is not there, no JSON, JSON of another kind or version, a file that ends in the middle, or a record
/// that cannot be shown.
pub fn read_results(path: &Path) -> Result<(PathBuf, Results), ConfigError> {
    let file = if path.is_dir() { path.join(NAME) } else { path.to_owned() };
    let wrong = |found: String| ConfigError::new(file.display(), EXPECTED, found);
    let bytes = std::fs::read(&file).map_err(|reason| wrong(unread(path, &reason)))?;
    let value = serde_json::from_slice(&bytes).map_err(|reason| wrong(no_json(&reason)))?;
    let results = results(value).map_err(wrong)?;
    Ok((file, results))
}

/// Why nothing could be read.
fn unread(path: &Path, reason: &std::io::Error) -> String {
    match unreplaced(path) {
        Some(meant) => format!("a ~ that no shell has replaced: write {}", meant.display()),
        None if reason.kind() == ErrorKind::NotFound => "no such file".to_owned(),
        None => reason.to_string(),
    }
}

fn no_json(reason: &serde_json::Error) -> String {
    match (reason.is_eof(), reason.line()) {
        (true, 0 | 1) if reason.column() == 0 => "an empty file".to_owned(),
        (true, line) => format!("a file that ends in the middle, in line {line}"),
        (false, _) => format!("no JSON: {reason}"),
    }
}

/// The record in a JSON document, or what is wrong with it.
fn results(value: Value) -> Result<Results, String> {
    let Value::Object(mut record) = value else {
        return Err("JSON of another kind: no object".to_owned());
    };
    match (record.get("schema_version"), record.get("form")) {
        (Some(version), _) if *version == json!(SCHEMA_VERSION) => {}
        (Some(version), _) => {
            return Err(format!(
                "schema_version {version} of another presam (this one reads {SCHEMA_VERSION})"
            ));
        }
        (None, Some(form)) => return Err(format!("JSON of another kind: the form {form}")),
        (None, None) => return Err("JSON of another kind: no schema_version".to_owned()),
    }
    plain_text(&Value::Object(record.clone()))?;
    complete(&mut record);
    if let Some(Value::Array(runs)) = record.get("runs") {
        // The reader of a whole record does not say which of its runs is wrong.
        for (index, run) in runs.iter().enumerate() {
            let sound = read::<Run>(run).and_then(|run| sound(&run));
            sound.map_err(|found| format!("runs[{index}]: {found}"))?;
        }
    }
    let results: Results = read(&Value::Object(record))?;
    if let Some(run) = twice(&results.runs) {
        let noise = percent(run.label_noise);
        return Err(format!("seed {} of {} at noise {noise} % twice", run.seed, run.method));
    }
    if results.runs.is_empty() { Err("no run in it".to_owned()) } else { Ok(results) }
}

/// A run that stands in the list twice: it would count so.
fn twice(runs: &[Run]) -> Option<&Run> {
    let place = |run: &Run| (run.method.clone(), run.label_noise.to_bits(), run.seed);
    let mut seen = BTreeSet::new();
    runs.iter().find(|run| !seen.insert(place(run)))
}

/// Refuses what a terminal would take for orders; a command may have lines.
fn plain_text(value: &Value) -> Result<(), String> {
    let is_plain = |text: &str| !text.chars().any(|c| c.is_control() && c != '\n');
    match value {
        Value::String(text) if !is_plain(text) => Err(format!("a control character in {text:?}")),
        Value::Array(items) => items.iter().try_for_each(plain_text),
        Value::Object(fields) => fields.iter().try_for_each(|(key, value)| {
            if is_plain(key) {
                plain_text(value)
            } else {
                Err(format!("a control character in {key:?}"))
            }
        }),
        _ => Ok(()),
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|reason| reason.to_string())
}

/// Whether a run's fractions are some: the axes of pictures end at 0 and 100 %.
fn sound(run: &Run) -> Result<(), String> {
    let epochs = run.history.iter().map(|epoch| epoch.test_accuracy);
    let mut all = epochs.chain([run.label_noise, run.final_test_accuracy, run.best_test_accuracy]);
    if run.method.contains('\n') {
        return Err(format!("lines in a name, {:?}", run.method));
    }
    match all.find(|share| !(0.0..=1.0).contains(share)) {
        Some(share) => Err(format!("{share} where a fraction from 0 to 1 belongs")),
        None => Ok(()),
    }
}

/// What older files and those of vision.py lack, so filled that nothing is told of what nobody recorded.
fn complete(record: &mut Map<String, Value>) {
    let settings = record.get("settings").cloned().unwrap_or_default();
    // Reckoned anew from the runs.
    record.insert("summary".to_owned(), json!([]));
    if let Some(Value::Object(data)) = record.get_mut("data") {
        // The one network for masks, before the measure was recorded.
        let measure = if settings["net"] == "unet" { "mean IoU" } else { "accuracy" };
        let last = data.get("classes").and_then(Value::as_u64).unwrap_or(1).saturating_sub(1);
        fill(data, "measure", json!(measure));
        fill(data, "smallest_label", json!(0));
        fill(data, "largest_label", json!(last.min(255)));
        fill(data, "mean", json!(0.0));
        fill(data, "deviation", json!(1.0));
    }
    for run in objects(record.get_mut("runs")) {
        let is_finite = run.get("final_train_loss").is_some_and(Value::is_number);
        fill(run, "ending", json!(if is_finite { "learned" } else { "diverged" }));
        fill(run, "chance", json!(0.0));
    }
    let mut rate = settings["rate"].clone();
    for tuned in objects(record.get_mut("tuning")) {
        with_rate(tuned, &mut rate);
    }
}

/// Where vision.py recorded no learning rate, that of `sgd` stood in the place of a radius; it is `rate` for the rows
/// that follow.
fn with_rate(tuned: &mut Map<String, Value>, rate: &mut Value) {
    if tuned.contains_key("learning_rate") {
        return;
    }
    let is_base = tuned.get("method").is_some_and(|method| method == "sgd");
    if is_base {
        *rate = tuned.insert("rho".to_owned(), Value::Null).unwrap_or_default();
    }
    tuned.insert("learning_rate".to_owned(), rate.clone());
    for trial in objects(tuned.get_mut("trials")) {
        let tried = if is_base { trial.insert("rho".to_owned(), Value::Null) } else { None };
        trial.insert("learning_rate".to_owned(), tried.unwrap_or_else(|| rate.clone()));
    }
}

fn fill(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.entry(key).or_insert(value);
}

/// The objects in a list.
fn objects(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}
