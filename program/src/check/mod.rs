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

use serde::{Serialize, Serializer};

use crate::error::Error;
use counted::Counted;
use pooled::Pooled;
use presam_cuda::{Device, DeviceError};

/// How much is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Cases for each law and rule, and for each of the other checks.
    pub cases: u32,
    /// What the cases are drawn from.
    pub seed: u64,
    /// Epochs of the training runs; 0: none of them.
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
    /// What the device refused, which ended it early; `None` where everything ran.
    #[serde(serialize_with = "in_words")]
    pub stopped: Option<DeviceError>,
}

fn in_words<S: Serializer>(stopped: &Option<DeviceError>, to: S) -> Result<S::Ok, S::Error> {
    stopped.as_ref().map(ToString::to_string).serialize(to)
}

impl Report {
    /// Whether every bit agreed, to the end.
    pub fn agrees(&self) -> bool {
        self.stopped.is_none()
            && self.differences.is_empty()
            && self.training.iter().all(|run| run.cpu_sha256 == run.device_sha256)
    }

    /// The first kernel that no case launched: few cases may miss one.
    pub fn uncovered(&self) -> Option<&'static str> {
        self.kernels.iter().find(|kernel| kernel.cases == 0).map(|kernel| kernel.kernel)
    }
}

/// Verifies the kernels on `device`, going on after a difference, with training runs at the end. What the
/// device itself refuses (no memory, a rejected text, a fault) ends it, and stands in the report. `told` hears what
/// comes next, and each difference at once, a line each.
///
/// # Errors
/// Whatever no device is to blame for. A difference is no error.
pub fn run(device: Box<dyn Device>, request: Request, told: fn(&str)) -> Result<Report, Error> {
    let device = if device.stands_in() { device } else { Box::new(Pooled::over(device)) };
    let (mut device, laws) = laws::check(Counted::new(device, told), request);
    let done = laws.map_err(Error::from).and_then(|()| beside(&mut device, request));
    report(device, done, request, |device| training::run(device, request))
}

/// What was found, with the training runs, which only a device that refused something is spared.
fn report(
    device: Counted,
    mut done: Result<(), Error>,
    request: Request,
    train: impl FnOnce(&mut Box<dyn Device>) -> Result<Vec<Training>, Error>,
) -> Result<Report, Error> {
    let name = device.name();
    let kernels = presam_kernels::entries::all().map(|kernel| kernel.name);
    let kernels =
        kernels.map(|kernel| KernelCases { kernel, cases: device.agreed(kernel) }).collect();
    let goes_on = done.is_ok() && request.epochs > 0;
    if goes_on {
        device.begins("training runs");
    }
    let (mut device, differences) = device.into_parts();
    let mut training = Vec::new();
    if goes_on {
        done = train(&mut device).map(|runs| training = runs);
    }
    let stopped = match done {
        Ok(()) => None,
        Err(Error::Device(refusal)) => Some(refusal),
        Err(other) => return Err(other),
    };
    Ok(Report { device: name, seed: request.seed, kernels, training, differences, stopped })
}

/// What stands beside the laws.
fn beside(device: &mut Counted, request: Request) -> Result<(), Error> {
    device.begins("mixes");
    mixes::check(device, request)?;
    device.begins("the norm's tree");
    tree::check(device, request)?;
    device.begins("the network");
    network::check(device, request)
}

#[cfg(test)]
mod tests {
    use presam_backends::Faulty;
    use presam_cuda::Emulated;

    use super::*;

    const REQUEST: Request = Request { cases: 1, seed: 1, epochs: 1, shrinks: 0 };

    fn trained(_: &mut Box<dyn Device>) -> Result<Vec<Training>, Error> {
        let (cpu_sha256, device_sha256) = ("a".to_owned(), "a".to_owned());
        Ok(vec![Training { method: "sgd".into(), epochs: 1, cpu_sha256, device_sha256 }])
    }

    /// The emulator, whose first difference ends the test.
    fn emulated() -> Counted {
        let told = |line: &str| assert!(!line.starts_with("differs: "), "{line}");
        Counted::new(Box::new(Emulated::new(1)), told)
    }

    /// What a fault put into a kernel of the step is judged by.
    #[test]
    fn the_emulator_gives_the_bits_of_the_core_by_every_law() {
        laws::check(emulated(), REQUEST).1.unwrap();
    }

    /// And one put into the tree, a mix or the network.
    #[test]
    fn the_emulator_gives_the_bits_of_the_core_beside_the_laws() {
        beside(&mut emulated(), Request { cases: 12, ..REQUEST }).unwrap();
    }

    #[test]
    fn training_runs_follow_after_a_difference_too() {
        let mut counted = Counted::new(Box::new(Faulty::without(&["mix_saner"])), |_| ());
        mixes::check(&mut counted, REQUEST).unwrap();
        let report = report(counted, Ok(()), REQUEST, trained).unwrap();
        assert!(!report.differences.is_empty() && !report.agrees());
        assert_eq!((report.training.len(), report.stopped), (1, None));
    }

    #[test]
    fn nothing_follows_what_the_device_refused() {
        let refusal = DeviceError::Lost { what: "scripted".into() };
        let counted = Counted::new(Box::new(Faulty::without(&[])), |_| ());
        let report = report(counted, Err(refusal.clone().into()), REQUEST, trained).unwrap();
        assert_eq!((report.training.len(), report.stopped), (0, Some(refusal)));
    }
}
