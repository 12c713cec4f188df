//! Every kernel of a device against the core, bit by bit, and training runs against the CPU's.

mod counted;
mod difference;
mod laws;
mod mixes;
mod network;
mod pooled;
mod random;
mod table;
mod training;
mod tree;
mod twin;

pub use difference::Difference;
pub use table::table;

use serde::Serialize;

use crate::error::Error;
use counted::Counted;
use pooled::Pooled;
use presam_cuda::Device;

/// How much is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Cases for each law and rule, and for each of the other checks.
    pub cases: u32,
    /// What the cases are drawn from.
    pub seed: u64,
    /// Epochs of the training runs.
    pub epochs: usize,
    /// Steps of the search for a smaller case that differs.
    pub shrinks: u32,
}

/// How often a kernel's results were compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KernelCases {
    /// The entry point.
    pub kernel: &'static str,
    /// Cases in which it ran and everything agreed.
    pub cases: u64,
}

/// A training run on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Training {
    /// The method.
    pub method: String,
    /// Its epochs on the digits.
    pub epochs: usize,
    /// The final parameters on the CPU.
    pub cpu_sha256: String,
    /// The final parameters on the device.
    pub device_sha256: String,
}

/// What was verified.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The device.
    pub device: String,
    /// What the cases were drawn from.
    pub seed: u64,
    /// Every kernel of the crate.
    pub kernels: Vec<KernelCases>,
    /// The training runs.
    pub training: Vec<Training>,
    /// The first difference of every kernel that ran in one.
    pub differences: Vec<Difference>,
}

impl Report {
    /// Whether every bit agreed in what ran.
    pub fn agrees(&self) -> bool {
        self.differences.is_empty()
            && self.training.iter().all(|run| run.cpu_sha256 == run.device_sha256)
    }

    /// The first kernel that no case launched: few cases may miss one.
    pub fn uncovered(&self) -> Option<&'static str> {
        self.kernels.iter().find(|kernel| kernel.cases == 0).map(|kernel| kernel.kernel)
    }
}

/// Verifies the kernels on `device`, going on after a difference; training runs follow where there is none.
///
/// # Errors
/// What the device itself refuses: no memory, a rejected text, a fault. A difference is no error.
pub fn run(device: Box<dyn Device>, request: Request) -> Result<Report, Error> {
    let name = device.name();
    let device = if device.stands_in() { device } else { Box::new(Pooled::over(device)) };
    let mut device = laws::check(Counted::new(device), request)?;
    mixes::check(&mut device, request)?;
    tree::check(&mut device, request)?;
    network::check(&mut device, request)?;
    let kernels = presam_kernels::entries::all().map(|kernel| kernel.name);
    let kernels =
        kernels.map(|kernel| KernelCases { kernel, cases: device.agreed(kernel) }).collect();
    let (mut device, differences) = device.into_parts();
    let training = match differences.is_empty() {
        true => training::run(&mut device, request)?,
        false => Vec::new(),
    };
    Ok(Report { device: name, seed: request.seed, kernels, training, differences })
}
