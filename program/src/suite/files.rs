//! Reports and failing cases as files.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::measure::Measure;
use super::record::{Finding, Report};
use super::text::text;
use crate::config::ConfigError;
use crate::show::files::{Folder, OutputError, json};
use crate::show::view::View;

/// What [`write_report`] leaves in the folder.
pub const REPORT_FILES: [&str; 2] = ["report.json", "report.txt"];

/// A failing case with what is needed to try it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "an object with law, scalar, operation, measure and case")]
pub struct SavedCase {
    /// The law's name.
    pub law: String,
    /// The scalar type.
    pub scalar: String,
    /// The half of the step that was asked.
    pub operation: String,
    /// How near the answer had to be.
    #[serde(default)]
    pub measure: Measure,
    /// Which number differed.
    pub place: String,
    /// What it should be.
    pub expected: String,
    /// What it was.
    pub found: String,
    /// The case.
    pub case: Value,
    /// The lines that were asked.
    pub requests: Vec<Value>,
}

impl SavedCase {
    fn of(finding: &Finding, measure: Measure) -> Self {
        let requests = finding.requests.iter().filter_map(|line| serde_json::from_str(line).ok());
        Self {
            law: finding.law.clone(),
            scalar: finding.scalar.clone(),
            operation: finding.operation.clone(),
            measure,
            place: finding.place.clone(),
            expected: finding.expected.clone(),
            found: finding.found.clone(),
            case: finding.case.clone().unwrap_or(Value::Null),
            requests: requests.collect(),
        }
    }

    /// Reads a file of [`save_failing`].
    ///
    /// # Errors
    /// A file that cannot be read, or holds something else.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let wrong = |expected: &str, reason: String| {
            ConfigError::new(format!("--replay {}", file.display()), expected, reason)
        };
        let bytes =
            std::fs::read(file).map_err(|reason| wrong("a readable file", reason.to_string()))?;
        serde_json::from_slice(&bytes)
            .map_err(|reason| wrong("a case of --save-failing", reason.to_string()))
    }
}

/// Writes [`REPORT_FILES`] to the folder of `--out`.
///
/// # Errors
/// As [`Folder::write`].
pub fn write_report(folder: &Path, report: &Report) -> Result<(), OutputError> {
    let folder = Folder { flag: "--out", path: folder };
    let contents = [
        json(report).map_err(|reason| folder.error(reason))?,
        text(report, View::PLAIN).into_bytes(),
    ];
    let files: Vec<(&str, Vec<u8>)> = REPORT_FILES.into_iter().zip(contents).collect();
    folder.write(&files)
}

/// Writes one file for each law and rule that failed, judged by `measure`, to the folder of `--save-failing`; their
/// names.
///
/// # Errors
/// As [`Folder::write`].
pub fn save_failing(
    folder: &Path,
    report: &Report,
    measure: Measure,
) -> Result<Vec<String>, OutputError> {
    let folder = Folder { flag: "--save-failing", path: folder };
    let file = |finding: &Finding| {
        let Finding { law, rule, scalar, operation, .. } = finding;
        let bytes = json(&SavedCase::of(finding, measure)).map_err(|reason| folder.error(reason));
        Ok((format!("{law}.{rule}.{operation}.{scalar}.json"), bytes?))
    };
    let files = report.findings.iter().map(file).collect::<Result<Vec<_>, OutputError>>()?;
    if !files.is_empty() {
        folder.write(&files)?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}
