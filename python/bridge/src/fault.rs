//! [`Fault`]: what a call refuses, as Python's `ValueError`.

use presam::Error;
use pyo3::PyErr;
use pyo3::exceptions::PyValueError;

/// One line that says what, expected, found.
#[derive(Debug)]
pub struct Fault(String);

impl Fault {
    /// With its line.
    #[must_use]
    pub const fn new(line: String) -> Self {
        Self(line)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        PyValueError::new_err(fault.0)
    }
}
