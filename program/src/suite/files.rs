//! Reports and failing cases as files, none of which ever stands half-written.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::exec::Measure;
use super::record::{Finding, Report};
use super::text::text;
use crate::config::ConfigError;

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

/// Writes [`REPORT_FILES`] into the folder, which is made where it does not exist.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn write_report(folder: &Path, report: &Report) -> Result<(), ConfigError> {
    let contents = [json("--out", report)?, text(report).into_bytes()];
    REPORT_FILES
        .iter()
        .zip(contents)
        .try_for_each(|(name, bytes)| write_whole("--out", &folder.join(name), &bytes))
}

/// Writes one file for each law and rule that failed, judged by `measure`; their names.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn save_failing(
    folder: &Path,
    report: &Report,
    measure: Measure,
) -> Result<Vec<String>, ConfigError> {
    let mut names = Vec::new();
    for finding in &report.findings {
        let Finding { law, rule, scalar, operation, .. } = finding;
        let name = format!("{law}.{rule}.{operation}.{scalar}.json");
        let bytes = json("--save-failing", &SavedCase::of(finding, measure))?;
        write_whole("--save-failing", &folder.join(&name), &bytes)?;
        names.push(name);
    }
    Ok(names)
}

fn json<T: Serialize>(flag: &str, value: &T) -> Result<Vec<u8>, ConfigError> {
    let text = serde_json::to_vec_pretty(value);
    let mut bytes =
        text.map_err(|reason| ConfigError::new(flag, "a result that JSON can hold", reason))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Makes the folder and sees that files can be written to it: before work whose result would be lost.
///
/// # Errors
/// A folder that cannot be made, or not be written to.
pub fn writable(flag: &str, folder: &Path) -> Result<(), ConfigError> {
    let probe = || {
        std::fs::create_dir_all(folder)?;
        tempfile::Builder::new().prefix(".presam-").tempdir_in(folder).map(drop)
    };
    probe().map_err(|reason| {
        ConfigError::new(format!("{flag} {}", folder.display()), "a writable folder", reason)
    })
}

/// Written into a folder of its own beside its place (the same file system, the usual rights), handed to
/// the disk, then renamed into place; `flag` stands in the error.
///
/// # Errors
/// A place that cannot be written.
pub fn write_whole(flag: &str, file: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
    let wrong = |reason: std::io::Error| {
        ConfigError::new(format!("{flag} {}", file.display()), "a writable file", reason)
    };
    let absolute = std::path::absolute(file).map_err(wrong)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).map_err(wrong)?;
    let scratch = tempfile::Builder::new().prefix(".presam-").tempdir_in(folder).map_err(wrong)?;
    let half = scratch.path().join("half");
    let mut open = std::fs::File::create(&half).map_err(wrong)?;
    open.write_all(bytes).and_then(|()| open.sync_all()).map_err(wrong)?;
    std::fs::rename(&half, &absolute).map_err(wrong)
}
