//! [`Record`]: what bench.json holds. Peers write the same form.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::job::{Cache, Phase, Row};
use crate::config::ConfigError;
use crate::error::Error;
use crate::machine::Host;
use crate::stats::Quantiles;

/// The name and version of the form; a change of meaning changes it.
pub const FORM: &str = "presam-bench 1";

/// A benchmark: the header, and one measurement a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`FORM`].
    pub form: String,
    /// Where and how it was measured.
    pub header: Header,
    /// In the order of measuring.
    pub measurements: Vec<Measurement>,
    /// A line for each row that turned out to have no room; peers need not tell.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// A line for each row whose answer was wrong: it has no times; peers need not tell.
    #[serde(default)]
    pub wrong: Vec<String>,
}

/// Where and how it was measured. What a machine does not tell is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of presam, or of the peer.
    pub version: String,
    /// UTC, `2026-11-24T13:18:44Z`.
    pub date: String,
    /// The command that measured.
    pub command: String,
    /// The device's name: `cpu AMD EPYC`.
    pub device: String,
    /// The driver and its version.
    pub driver: Option<String>,
    /// Bytes of the device's last cache.
    pub last_cache_bytes: Option<u64>,
    /// The machine around it.
    pub host: Host,
    /// The compiler found on this machine.
    pub rustc: Option<String>,
    /// Nanoseconds of an empty launch by the host's clock; no copy is compared with it.
    pub launch_overhead_ns: Option<Quantiles>,
    /// The same by the device's clock; peers need not tell.
    #[serde(default)]
    pub launch_device_ns: Option<Quantiles>,
}

/// One row: its name, its bytes, its samples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Who ran: `presam`, `torch-foreach`.
    pub program: String,
    /// The phase.
    pub phase: Phase,
    /// The rule, the base optimizer (descend), or `any` (restore).
    pub rule: String,
    /// The size or network as asked for.
    pub shape: String,
    /// Parameters in it.
    pub params: u64,
    /// Tensors in it.
    pub tensors: u64,
    /// Warm or cold.
    pub cache: Cache,
    /// Whether it was replayed from a captured graph.
    pub graph: bool,
    /// Bytes counted, read and written, a run.
    pub bytes: u64,
    /// Bytes that the copy beside it read and wrote, a run.
    pub copy_bytes: u64,
    /// Runs that each sample is the mean of.
    pub runs: u32,
    /// The 5 % quantile of the samples in nanoseconds.
    pub p05_ns: f64,
    /// Their median.
    pub p50_ns: f64,
    /// Their 95 % quantile.
    pub p95_ns: f64,
    /// The median of the copy's samples.
    pub copy_p50_ns: f64,
    /// (bytes / median) / (the copy's bytes / its median); `null` where a clock stood still.
    pub fraction_of_copy: Option<f64>,
    /// The median of the triad's samples, brought to as many bytes as the row's; `null` where there is no triad.
    #[serde(default)]
    pub floor_ns: Option<f64>,
    /// Nanoseconds a run, round by round.
    pub samples_ns: Vec<f64>,
    /// The copy's, of the same rounds.
    pub copy_samples_ns: Vec<f64>,
}

/// Nanoseconds a run of the programs, one sample of each a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// The job's.
    pub job: Vec<f64>,
    /// The copy's.
    pub copy: Vec<f64>,
    /// The triad's; empty where there is none.
    pub triad: Vec<f64>,
    /// Runs that a sample of the job is the mean of.
    pub runs: u32,
    /// Bytes that a copy read and wrote.
    pub copy_bytes: u64,
}

impl Measurement {
    /// What was measured of `row`.
    pub fn new(row: &Row, samples: Samples) -> Self {
        let (job, copy) = (Quantiles::of(&samples.job), Quantiles::of(&samples.copy));
        let bandwidth = row.job.bytes as f64 / job.p50;
        let fraction = bandwidth / (samples.copy_bytes as f64 / copy.p50);
        Self {
            program: "presam".to_owned(),
            phase: row.job.phase,
            rule: row.job.rule.to_owned(),
            shape: row.job.shape.name.clone(),
            params: row.job.shape.params() as u64,
            tensors: row.job.shape.tensors.len() as u64,
            cache: row.mode.cache,
            graph: row.mode.graph,
            bytes: row.job.bytes,
            copy_bytes: samples.copy_bytes,
            runs: samples.runs,
            p05_ns: job.p05,
            p50_ns: job.p50,
            p95_ns: job.p95,
            copy_p50_ns: copy.p50,
            fraction_of_copy: Some(fraction).filter(|fraction| fraction.is_finite()),
            floor_ns: (!samples.triad.is_empty()).then(|| Quantiles::of(&samples.triad).p50),
            samples_ns: samples.job,
            copy_samples_ns: samples.copy,
        }
    }

    /// The median over the floor: 1 is as fast as a triad of as many bytes.
    pub fn times_floor(&self) -> Option<f64> {
        self.floor_ns.map(|floor| self.p50_ns / floor).filter(|times| times.is_finite())
    }

    /// What rows of two records are matched by: phase, rule, shape, cache and graph.
    pub fn name(&self) -> String {
        let graph = if self.graph { " graph" } else { "" };
        let (phase, cache) = (self.phase.name(), self.cache.name());
        format!("{phase}/{}/{} {cache}{graph}", self.rule, self.shape)
    }

    fn is_sound(&self) -> bool {
        let finite = [self.p05_ns, self.p50_ns, self.p95_ns].iter().all(|ns| ns.is_finite());
        finite && self.p05_ns > 0.0 && self.p05_ns <= self.p50_ns && self.p50_ns <= self.p95_ns
    }
}

impl Record {
    /// Reads a bench.json, ours or a peer's, that `flag` named.
    ///
    /// # Errors
    /// A file that cannot be read, is no JSON, is of another form, or whose quantiles are no times.
    pub fn read(flag: &str, file: &Path) -> Result<Self, Error> {
        let wrong = |found: String| {
            let place = format!("{flag} {}", file.display());
            ConfigError::new(place, format!("a bench.json of the form {FORM:?}"), found)
        };
        let text = std::fs::read(file).map_err(|reason| wrong(reason.to_string()))?;
        let value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|reason| wrong(format!("no JSON: {reason}")))?;
        match value.get("form").and_then(serde_json::Value::as_str) {
            Some(FORM) => {}
            Some(other) => return Err(wrong(format!("the form {other:?}")).into()),
            None => return Err(wrong("JSON without \"form\"".to_owned()).into()),
        }
        let record: Self =
            serde_json::from_value(value).map_err(|reason| wrong(reason.to_string()))?;
        match record.measurements.iter().find(|row| !row.is_sound()) {
            None => Ok(record),
            Some(row) => {
                let quantiles = [row.p05_ns, row.p50_ns, row.p95_ns];
                Err(wrong(format!("quantiles {quantiles:?} of {}", row.name())).into())
            }
        }
    }
}
