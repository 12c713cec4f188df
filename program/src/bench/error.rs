//! What can stop a benchmark: one line each.

use std::fmt;

use crate::config::ConfigError;
use presam_cuda::DeviceError;

/// A failure of a benchmark, with its exit code.
#[derive(Debug)]
pub enum BenchError {
    /// A flag, a folder or a file.
    Request(ConfigError),
    /// A value that the core refused.
    Core(presam::Error),
    /// A program computed something else than it should have: its time means nothing.
    Wrong(String),
    /// There was no room for a row.
    Room(DeviceError),
    /// The device or its driver refused; the second value is the exit code.
    Device(Box<dyn std::error::Error + Send + Sync>, u8),
}

impl BenchError {
    /// 1: an answer differs. 2: wrong use. A device brings its own: 3 where it is absent.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Wrong(_) => 1,
            Self::Request(_) | Self::Core(_) | Self::Room(_) => 2,
            Self::Device(_, code) => *code,
        }
    }
}

impl fmt::Display for BenchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::Core(error) => error.fmt(f),
            Self::Wrong(what) => f.write_str(what),
            Self::Room(error) => error.fmt(f),
            Self::Device(error, _) => error.fmt(f),
        }
    }
}

impl std::error::Error for BenchError {}

impl From<ConfigError> for BenchError {
    fn from(error: ConfigError) -> Self {
        Self::Request(error)
    }
}

impl From<DeviceError> for BenchError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::OutOfMemory { .. } => Self::Room(error),
            DeviceError::Absent { .. } => Self::Device(Box::new(error), 3),
            _ => Self::Device(Box::new(error), 2),
        }
    }
}

impl From<presam::Error> for BenchError {
    fn from(error: presam::Error) -> Self {
        Self::Core(error)
    }
}
