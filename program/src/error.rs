//! What can stop the program: always one line that names the flag or file, what was expected and found.

use std::fmt;

use crate::config::ConfigError;
use crate::data::DataError;
use crate::pipe::PipeError;
use crate::report::OutputError;
use presam_cuda::DeviceError;

/// A failure of the program, with its exit code.
#[derive(Debug)]
pub enum Error {
    /// A flag or a key of the configuration.
    Config(ConfigError),
    /// A data file.
    Data(DataError),
    /// The folder or a file of the results.
    Output(OutputError),
    /// A value that the core refused.
    Core(presam::Error),
    /// A shape that the model refused.
    Model(presam_model::Error),
    /// The device.
    Device(DeviceError),
    /// A command that cannot be tested.
    Pipe(PipeError),
}

impl Error {
    /// 2: wrong use, 3: no such device. (1 is kept for "differs".)
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Device(DeviceError::Absent { .. }) => 3,
            Self::Config(_) | Self::Data(_) | Self::Output(_) => 2,
            Self::Core(_) | Self::Model(_) | Self::Device(_) | Self::Pipe(_) => 2,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Data(error) => error.fmt(f),
            Self::Output(error) => error.fmt(f),
            Self::Core(error) => error.fmt(f),
            Self::Model(error) => error.fmt(f),
            Self::Device(error) => error.fmt(f),
            Self::Pipe(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        Self::Data(error)
    }
}

impl From<OutputError> for Error {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

impl From<presam::Error> for Error {
    fn from(error: presam::Error) -> Self {
        Self::Core(error)
    }
}

impl From<DeviceError> for Error {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

impl From<presam_model::Error> for Error {
    fn from(error: presam_model::Error) -> Self {
        Self::Model(error)
    }
}

impl From<PipeError> for Error {
    fn from(error: PipeError) -> Self {
        Self::Pipe(error)
    }
}
