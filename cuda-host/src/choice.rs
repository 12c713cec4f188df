//! [`Choice`]: a device by its name on the command line.

use std::fmt;
use std::str::FromStr;

use crate::device::Device;
use crate::emulated::Emulated;
use crate::error::DeviceError;

/// Where the program computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// The core's loops.
    #[default]
    Cpu,
    /// The kernels' bodies on the CPU.
    Emulated,
    /// The kernels' committed PTX texts, executed on the CPU.
    Ptx,
    /// The kernels on an NVIDIA GPU, by its number.
    Cuda(u32),
}

/// The names, as an error lists them.
pub const NAMES: &str = "cpu, emulated, ptx, cuda or cuda:N";

impl Choice {
    /// The device, opened; `None` for the CPU's own loops. A GPU's driver compiles every text at once here.
    ///
    /// # Errors
    /// [`DeviceError::Absent`] where there is no such device, or this program was built without it.
    pub fn open(self) -> Result<Option<Box<dyn Device>>, DeviceError> {
        match self {
            Self::Cpu => Ok(None),
            Self::Emulated => Ok(Some(Box::new(Emulated::new(1)))),
            Self::Ptx => open_ptx().map(Some),
            Self::Cuda(number) => open_cuda(number).map(Some),
        }
    }
}

#[cfg(feature = "ptx")]
fn open_ptx() -> Result<Box<dyn Device>, DeviceError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Box::new(crate::ptx::Ptx::new(1).on_threads(threads)))
}

#[cfg(not(feature = "ptx"))]
fn open_ptx() -> Result<Box<dyn Device>, DeviceError> {
    Err(without(Choice::Ptx, "ptx"))
}

#[cfg(feature = "cuda")]
fn open_cuda(number: u32) -> Result<Box<dyn Device>, DeviceError> {
    let mut cuda = crate::cuda::Cuda::open(number)?;
    cuda.load_all()?;
    Ok(Box::new(cuda))
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(number: u32) -> Result<Box<dyn Device>, DeviceError> {
    Err(without(Choice::Cuda(number), "cuda"))
}

#[cfg(not(all(feature = "ptx", feature = "cuda")))]
fn without(choice: Choice, feature: &str) -> DeviceError {
    let found = format!("a program built without the feature {feature}");
    DeviceError::Absent { device: choice.to_string(), found }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Emulated => f.write_str("emulated"),
            Self::Ptx => f.write_str("ptx"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "cpu" => Ok(Self::Cpu),
            "emulated" => Ok(Self::Emulated),
            "ptx" => Ok(Self::Ptx),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let number = text.strip_prefix("cuda:").and_then(|number| number.parse().ok());
                number.map(Self::Cuda).ok_or_else(|| format!("{text:?}"))
            }
        }
    }
}
