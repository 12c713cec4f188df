//! What can be wrong with a data file: always one line that names the file, what was expected and what was found.

use std::fmt;
use std::path::{Path, PathBuf};

/// A data file that cannot be used.
#[derive(Debug)]
pub struct DataError {
    file: PathBuf,
    expected: String,
    found: String,
}

impl DataError {
    /// `file` should have held `expected` and holds `found`.
    pub fn new(
        file: impl AsRef<Path>,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self {
            file: file.as_ref().to_owned(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    /// `file` could not be read for the operating system's `reason`.
    pub fn unreadable(
        file: impl AsRef<Path>,
        expected: impl fmt::Display,
        reason: &std::io::Error,
    ) -> Self {
        let found = match reason.kind() {
            std::io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => reason.to_string(),
        };
        Self::new(file, expected, found)
    }

    /// The file in question.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.file.display(), self.expected, self.found)
    }
}

impl std::error::Error for DataError {}
