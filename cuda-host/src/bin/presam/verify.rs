//! `presam verify`: every kernel of a device against the core.

use std::process::ExitCode;

use presam_cuda::config::{ConfigError, device};
use presam_cuda::device::Choice;
use presam_cuda::error::Error;
use presam_cuda::verify::{Report, Request, run, table};

use crate::arguments::VerifyArguments;
use crate::{say, say_json};

pub(crate) const EXAMPLES: &str = "\
Examples:
  presam verify                                the kernels' bodies on this machine's CPU
  presam verify --device ptx --full            the committed PTX, executed on this CPU, for minutes
  presam verify --device cuda                  the kernels on the first NVIDIA GPU
  presam verify --device cuda:1 --cases 100    more cases, on the second one
  presam verify --seed 7 --json                other cases, as JSON

Exit codes:
  0  every bit agrees
  1  differs
  2  wrong use, or cannot be tested
  3  the device asked for is absent";

/// The command, with its exit code.
pub(crate) fn verify(arguments: &VerifyArguments) -> ExitCode {
    let done = verified(arguments).and_then(|report| {
        if arguments.json {
            say_json(&report)?;
        } else {
            say(&table(&report));
        }
        Ok(match (report.agrees(), report.uncovered()) {
            (true, None) => 0,
            (true, Some(_)) => 2,
            (false, _) => 1,
        })
    });
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn verified(arguments: &VerifyArguments) -> Result<Report, Error> {
    let choice = device(Some(arguments.device.as_deref().unwrap_or("emulated")))?;
    let device = choice.open()?.ok_or_else(|| {
        // The core is what devices are compared with.
        ConfigError::new("--device", "a device other than the core's own loops", choice)
    })?;
    let (cases, epochs) = match (choice, arguments.full) {
        (Choice::Cuda(_), full) => (if full { 40 } else { 8 }, 60),
        (_, true) => (40, 5),
        (_, false) => (8, 2),
    };
    let request = Request {
        cases: arguments.cases.unwrap_or(cases),
        seed: arguments.seed.unwrap_or(1),
        epochs: arguments.epochs.map_or(epochs, |epochs| epochs as usize),
    };
    run(device, request)
}
