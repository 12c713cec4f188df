//! What can stop the program: always one line that names the flag or file, what was expected and found.

use std::fmt;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::data::DataError;
use crate::show::files::OutputError;
use presam_cuda::DeviceError;
use presam_pipe::PipeError;

macro_rules! failures {
    ($($(#[$doc:meta])* $Failure:ident($Inner:ty),)*) => {
        /// A failure of the program, with its exit code.
        #[derive(Debug)]
        pub enum Error {
            $($(#[$doc])* $Failure($Inner),)*
            /// The command of `--exec`, which cannot be tested.
            Pipe(PipeError),
            /// A program computed something else than it should have.
            Wrong(String),
            /// Asked to end early; the folder holds what is needed to go on.
            Interrupted(PathBuf),
        }

        impl fmt::Display for Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$Failure(error) => error.fmt(f),)*
                    Self::Pipe(error) => write!(f, "--exec: {error}"),
                    Self::Wrong(what) => f.write_str(what),
                    Self::Interrupted(folder) => write!(
                        f,
                        "interrupted; {} holds every run's last epoch: the same command with --resume goes on",
                        folder.display()
                    ),
                }
            }
        }

        $(impl From<$Inner> for Error {
            fn from(error: $Inner) -> Self {
                Self::$Failure(error)
            }
        })*
    };
}

failures! {
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
}

impl From<PipeError> for Error {
    fn from(error: PipeError) -> Self {
        Self::Pipe(error)
    }
}

/// The exit code of a program that Ctrl-C ended.
pub(crate) const INTERRUPTED: u8 = 130;

impl std::error::Error for Error {}

impl Error {
    /// 1: a wrong answer, 3: no such device, 130: interrupted, 2: anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Wrong(_) => 1,
            Self::Interrupted(_) => INTERRUPTED,
            Self::Device(DeviceError::Absent { .. }) => 3,
            _ => 2,
        }
    }
}
