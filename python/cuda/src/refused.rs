//! [`Refused`]: what a call refuses or a device answers, as Python's error.

use presam_bridge::Fault;
use presam_cuda::DeviceError;
use pyo3::PyErr;
use pyo3::exceptions::{PyRuntimeError, PyValueError};

/// One line that says what, expected, found.
pub(crate) struct Refused(PyErr);

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self(fault.into())
    }
}

impl From<DeviceError> for Refused {
    fn from(error: DeviceError) -> Self {
        let line = match &error {
            DeviceError::OutOfMemory { .. } => {
                format!(
                    "{error}; torch's cache may hold it: torch.cuda.empty_cache() gives it back"
                )
            }
            _ => error.to_string(),
        };
        Self(match error {
            DeviceError::Contract { .. } | DeviceError::Rule(_) => PyValueError::new_err(line),
            _ => PyRuntimeError::new_err(line),
        })
    }
}

impl From<Refused> for PyErr {
    fn from(Refused(error): Refused) -> Self {
        error
    }
}
