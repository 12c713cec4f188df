//! Where the data come from, as typed on the command line: `digits`, `idx:DIR` or `cifar10:DIR`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{DataError, Loaded, cifar10, digits, idx};
use crate::tilde::unreplaced;

/// A data source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The digits embedded in the crate.
    Digits,
    /// A folder of MNIST-style IDX files.
    Idx(PathBuf),
    /// A folder of CIFAR-10 binary batches.
    Cifar10(PathBuf),
}

impl Source {
    /// Reads the source whole.
    ///
    /// # Errors
    /// The first missing, truncated or inconsistent file, named with what was expected and found.
    pub fn load(&self) -> Result<Loaded, DataError> {
        match self {
            Self::Digits => {
                let labels = (0..=9).collect();
                Ok(Loaded { train: digits()?, test: None, labels, mean: 0.0, deviation: 1.0 })
            }
            Self::Idx(folder) => idx::load(folder),
            Self::Cifar10(folder) => cifar10::load(folder),
        }
    }
}

impl Source {
    /// The folder; the digits have none.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Digits => None,
            Self::Idx(folder) | Self::Cifar10(folder) => Some(folder),
        }
    }

    /// The same with a relative folder taken from `base`; a `~`, which is refused anyhow, stays as it is.
    #[must_use]
    pub fn within(self, base: &Path) -> Self {
        let join = |folder: PathBuf| {
            if unreplaced(&folder).is_some() { folder } else { base.join(folder) }
        };
        match self {
            Self::Digits => Self::Digits,
            Self::Idx(folder) => Self::Idx(join(folder)),
            Self::Cifar10(folder) => Self::Cifar10(join(folder)),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digits => f.write_str("digits"),
            Self::Idx(folder) => write!(f, "idx:{}", folder.display()),
            Self::Cifar10(folder) => write!(f, "cifar10:{}", folder.display()),
        }
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "digits" => Ok(Self::Digits),
            Some(("idx", folder)) if !folder.is_empty() => Ok(Self::Idx(folder.into())),
            Some(("cifar10", folder)) if !folder.is_empty() => Ok(Self::Cifar10(folder.into())),
            _ => Err(format!("expected digits, idx:DIR or cifar10:DIR, found {text:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_as_written_and_others_refused() {
        for text in ["digits", "idx:/a b/c:d", "cifar10:here"] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        for text in ["", "digit", "idx", "idx:", "mnist:/x"] {
            assert!(
                text.parse::<Source>()
                    .unwrap_err()
                    .contains("expected digits, idx:DIR or cifar10:DIR")
            );
        }
    }

    #[test]
    fn the_digits_have_no_division_of_their_own() {
        let loaded = Source::Digits.load().unwrap();
        assert_eq!((loaded.train.len(), loaded.test), (1797, None));
    }
}
