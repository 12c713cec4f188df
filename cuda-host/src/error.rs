//! What can go wrong on the way to a device and back: one line each.

use std::fmt;

/// A device, its memory or a kernel refused.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceError {
    /// The device asked for is not there: the program ends with exit code 3.
    Absent {
        /// What was asked for: `cuda:0`.
        device: String,
        /// What was found instead.
        found: String,
    },
    /// The driver is older than the PTX version of the kernels asks for.
    DriverTooOld {
        /// The version needed, as NVIDIA writes it: `11.0`.
        expected: String,
        /// The driver's.
        found: String,
    },
    /// The driver's compiler refused a PTX text.
    Rejected {
        /// The text under kernels/ptx/.
        text: String,
        /// Its target and PTX version, and the driver's version.
        versions: String,
        /// The compiler's log.
        log: String,
    },
    /// Not enough memory on the device.
    OutOfMemory {
        /// The bytes asked for.
        bytes: usize,
    },
    /// An address that is null, not allocated, or not that long.
    Address {
        /// What was to be done there.
        what: &'static str,
        /// The address.
        address: u64,
        /// The bytes asked for.
        bytes: usize,
    },
    /// A kernel was handed what its contract does not allow; nothing was launched.
    Contract {
        /// The kernel.
        kernel: &'static str,
        /// The argument.
        what: String,
        /// What the contract asks for.
        expected: String,
        /// What was handed in.
        found: String,
    },
    /// A wrong number of arguments for a kernel.
    Arguments {
        /// The kernel.
        kernel: &'static str,
        /// How many it has.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// A kernel left its memory or read what was never written.
    Fault {
        /// The kernel.
        kernel: &'static str,
        /// What it did, where.
        what: String,
    },
    /// The driver gave the context up; nothing on the device can be trusted.
    Lost {
        /// The driver's name and words for it.
        what: String,
    },
    /// The driver refused for another reason.
    Driver {
        /// The call, and the driver's name and words for its answer.
        what: String,
    },
    /// A hyperparameter outside of its range.
    Rule(presam::Error),
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { device, found } => {
                write!(f, "device {device}: expected one, found {found}")
            }
            Self::DriverTooOld { expected, found } => write!(
                f,
                "driver: expected one for CUDA {expected} or newer, found one for CUDA {found}"
            ),
            Self::Rejected { text, versions, log } => {
                write!(f, "kernels/ptx/{text}.ptx ({versions}) is refused by the driver: {log}")
            }
            Self::OutOfMemory { bytes } => write!(f, "device memory: no room for {bytes} bytes"),
            Self::Address { what, address, bytes } => write!(
                f,
                "{what}: expected {bytes} bytes of device memory at {address:#x}, found less"
            ),
            Self::Contract { kernel, what, expected, found } => {
                write!(f, "{kernel}: {what}: expected {expected}, found {found}")
            }
            Self::Arguments { kernel, expected, found } => {
                write!(f, "{kernel}: expected {expected} arguments, found {found}")
            }
            Self::Fault { kernel, what } => write!(f, "{kernel}: {what}"),
            Self::Lost { what } => write!(f, "device lost: {what}"),
            Self::Driver { what } => write!(f, "CUDA driver: {what}"),
            Self::Rule(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DeviceError {}

impl From<presam::Error> for DeviceError {
    fn from(error: presam::Error) -> Self {
        Self::Rule(error)
    }
}
