//! The files of a comparison, written so that nothing half-written ever stands under a final name.
//!
//! Everything goes into a temporary folder inside the target first (the same file system, the same
//! rights); then each file is renamed into place.
//! An interruption leaves older files as they were.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{Results, curves_svg, history_csv, report_html, results_csv, sharpness_svg};
use crate::config::Config;

/// The names of the files that [`write_results`] leaves in the folder.
pub const FILES: [&str; 7] = [
    "results.json",
    "results.csv",
    "history.csv",
    "curves.svg",
    "sharpness.svg",
    "report.html",
    "config.toml",
];

/// A folder or file that could not be written.
#[derive(Debug)]
pub struct OutputError {
    path: PathBuf,
    reason: String,
}

impl OutputError {
    fn new(path: &Path, reason: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "--out {}: expected a writable folder, found: {}",
            self.path.display(),
            self.reason
        )
    }
}

impl std::error::Error for OutputError {}

/// Checks, before an hour is spent computing, that results can be written to `folder`; leaves no trace.
///
/// # Errors
/// The folder, or the nearest existing one above it, is no folder or not writable.
pub fn check_folder(folder: &Path) -> Result<(), OutputError> {
    let existing = absolute(folder)?.ancestors().find(|path| path.exists()).map(Path::to_path_buf);
    let existing = existing.ok_or_else(|| OutputError::new(folder, "no folder above it exists"))?;
    if !existing.is_dir() {
        return Err(OutputError::new(folder, format!("{} is no folder", existing.display())));
    }
    if let Some(name) = FILES.iter().find(|name| folder.join(name).is_dir()) {
        return Err(OutputError::new(folder, format!("a folder named {name} in it")));
    }
    scratch(&existing, folder).map(drop)
}

/// Writes all of [`FILES`] to `folder`, which is made where it does not exist.
///
/// # Errors
/// A file or folder that cannot be written; files that stood there before are then as they were, unless
/// the failure is that of a rename, before which everything had been written completely.
pub fn write_results(folder: &Path, results: &Results, config: &Config) -> Result<(), OutputError> {
    let contents = contents(results, config).map_err(|reason| OutputError::new(folder, reason))?;
    let folder_path = absolute(folder)?;
    std::fs::create_dir_all(&folder_path).map_err(|reason| OutputError::new(folder, reason))?;
    let scratch = scratch(&folder_path, folder)?;
    for (name, bytes) in FILES.iter().zip(&contents) {
        write_through(&scratch.path().join(name), bytes)
            .map_err(|reason| OutputError::new(&folder.join(name), reason))?;
    }
    for name in FILES {
        std::fs::rename(scratch.path().join(name), folder_path.join(name))
            .map_err(|reason| OutputError::new(&folder.join(name), reason))?;
    }
    Ok(())
}

/// The bytes of each of [`FILES`], in that order.
fn contents(
    results: &Results,
    config: &Config,
) -> Result<[Vec<u8>; 7], Box<dyn std::error::Error>> {
    let mut json = serde_json::to_vec_pretty(results)?;
    json.push(b'\n');
    let (curves, sharpness) = (curves_svg(results)?, sharpness_svg(results)?);
    let page = report_html(results, &curves, &sharpness);
    Ok([
        json,
        results_csv(&results.runs)?,
        history_csv(&results.runs)?,
        curves.into_bytes(),
        sharpness.into_bytes(),
        page.into_bytes(),
        config.to_toml()?.into_bytes(),
    ])
}

/// A folder of a name of its own inside `parent`; it goes when dropped.
fn scratch(parent: &Path, wanted: &Path) -> Result<tempfile::TempDir, OutputError> {
    tempfile::Builder::new()
        .prefix(".presam-")
        .tempdir_in(parent)
        .map_err(|reason| OutputError::new(wanted, reason))
}

/// Written and handed to the disk, so that a rename after it cannot leave an empty file behind a power cut.
fn write_through(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut open = std::fs::File::create(file)?;
    io::Write::write_all(&mut open, bytes)?;
    open.sync_all()
}

fn absolute(folder: &Path) -> Result<PathBuf, OutputError> {
    std::path::absolute(folder).map_err(|reason| OutputError::new(folder, reason))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::config::{Options, resolve};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_files_appear_older_ones_are_replaced_and_nothing_else_is_left() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a").join("out");
        let config = resolve(Options::default()).unwrap();
        let mut results = sample::results(&["sgd", "sam"], &[0.6], 2);
        check_folder(&folder).unwrap();
        assert!(names(place.path()).is_empty(), "a check leaves no trace");
        write_results(&folder, &results, &config).unwrap();
        let mut expected = FILES.map(str::to_owned).to_vec();
        expected.sort();
        assert_eq!(names(&folder), expected);
        std::fs::write(folder.join("notes.txt"), "mine").unwrap();
        results.version = "9".into();
        write_results(&folder, &results, &config).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("notes.txt")).unwrap(), "mine");
        let read: Results =
            serde_json::from_slice(&std::fs::read(folder.join("results.json")).unwrap()).unwrap();
        assert_eq!(read, results);
        assert_eq!(names(&place.path().join("a")), ["out"]);
        let config_again = Options::read(&folder.join("config.toml")).unwrap();
        assert_eq!(resolve(config_again).unwrap(), config);
    }

    #[test]
    fn a_folder_that_cannot_be_is_one_clear_line_and_older_files_stay() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "old").unwrap();
        let results = sample::results(&["sgd"], &[0.6], 1);
        let config = resolve(Options::default()).unwrap();
        for folder in [file.clone(), file.join("below")] {
            let message = check_folder(&folder).unwrap_err().to_string();
            assert!(
                message.starts_with("--out ") && message.ends_with("file is no folder"),
                "{message}"
            );
            assert!(write_results(&folder, &results, &config).is_err());
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
            assert_eq!(names(place.path()), ["file"]);
        }
    }
}
