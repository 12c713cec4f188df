//! `presam verify --device`: every kernel of a device against the core.

use crate::check::{Report, Request, run, table};
use crate::config::{ConfigError, device};
use crate::error::Error;
use crate::show::view::View;
use presam_cuda::Choice;

use super::VerifyArguments;
use crate::command::say::{aside, say, say_json};

pub(super) fn verify(arguments: &VerifyArguments) -> Result<u8, Error> {
    let report = verified(arguments)?;
    if arguments.json {
        say_json(&report)?;
    } else {
        say(&table(&report, View::of_stdout(arguments.wide)));
    }
    if let Some(refusal) = report.stopped {
        return Err(refusal.into());
    }
    Ok(match (report.agrees(), report.uncovered()) {
        (true, None) => 0,
        (true, Some(_)) => 2,
        (false, _) => 1,
    })
}

fn verified(arguments: &VerifyArguments) -> Result<Report, Error> {
    let choice = device(arguments.device.as_deref())?;
    let device = choice.open()?.ok_or_else(|| {
        // The core is what devices are compared with.
        let expected =
            "a device other than the core's own loops (without --device, the laws try these)";
        ConfigError::new("--device", expected, choice)
    })?;
    let (cases, epochs) = match (choice, arguments.full) {
        (Choice::Cuda(_), full) => (if full { 40 } else { 8 }, 60),
        (_, true) => (16, 5),
        (_, false) => (2, 2),
    };
    let request = Request {
        cases: arguments.cases.unwrap_or(cases),
        seed: arguments.seed.unwrap_or(1),
        epochs: arguments.epochs.map_or(epochs, |epochs| epochs as usize),
        shrinks: 256,
    };
    run(device, request, if arguments.json { |_| () } else { |line| aside(line) })
}
