//! [`Fault`]: why an image fails.

use core::fmt;

/// Why an image fails.
#[derive(Debug)]
pub enum Fault {
    /// A phase refused its arguments.
    Step(presam::Error),
    /// The network refused its arguments.
    Network(presam_model::Error),
    /// A number is not the expected one: what, and which case.
    Differs(&'static str, usize),
    /// A file of the repository is not as this program reads it: what is missing.
    Unread(&'static str),
}

impl From<presam::Error> for Fault {
    fn from(error: presam::Error) -> Self {
        Self::Step(error)
    }
}

impl From<presam_model::Error> for Fault {
    fn from(error: presam_model::Error) -> Self {
        Self::Network(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(error) => write!(f, "{error}"),
            Self::Network(error) => write!(f, "{error}"),
            Self::Differs(what, case) => write!(f, "{what}: case {case} is not as expected"),
            Self::Unread(what) => write!(f, "expected {what}"),
        }
    }
}
