//! What can be wrong with a flag or a key of the configuration file.

use std::fmt;
use std::path::Path;

/// A value that cannot be used: which flag or key, what was expected, what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    place: String,
    expected: String,
    found: String,
    meant: Option<String>,
}

impl ConfigError {
    /// `place` (a flag, or a file with its line) should have held `expected` and holds `found`.
    pub fn new(
        place: impl fmt::Display,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self {
            place: place.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
            meant: None,
        }
    }

    /// Adds what was probably meant.
    #[must_use]
    pub fn suggest(mut self, meant: Option<&str>) -> Self {
        self.meant = meant.map(str::to_owned);
        self
    }

    /// The same of a key of this file, where it was told of the flag.
    #[must_use]
    pub fn of_file(mut self, file: &Path) -> Self {
        if let Some(flag) = self.place.strip_prefix("--") {
            let key = match flag.split_once(' ') {
                Some((flag, part)) => format!("{}.{part}", flag.replace('-', "_")),
                None if flag == "lr" => "learning_rate".to_owned(),
                None => flag.replace('-', "_"),
            };
            self.place = format!("{}: {key}", file.display());
        }
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.place, self.expected, self.found)?;
        match &self.meant {
            Some(meant) => write!(f, "; did you mean {meant}?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}
