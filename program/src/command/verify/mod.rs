//! `presam verify`: the core, a device, or anybody's command; and what a command can begin with.

mod command;
mod core;
mod device;

use std::process::ExitCode;

use crate::error::Error;
use crate::init::template;
use crate::suite::{Report, text};

use crate::command::arguments::VerifyArguments;
use crate::command::{say, say_json};

pub(crate) const EXAMPLES: &str = "\
Examples:
  presam verify                                the core itself, by every law
  presam verify --init python > my_sam.py      an adapter for code of your own
  presam verify --exec 'python3 my_sam.py'     that code, or any command that answers
  presam verify --exec ./my_sam --rules sam --save-failing cases
  presam verify --exec ./my_sam --replay cases/agrees.sam.step.f64.json
  presam verify --device ptx --full            the committed PTX, executed on this CPU, for minutes
  presam verify --device cuda:1                the kernels on the second NVIDIA GPU

Exit codes:
  0  agrees
  1  differs
  2  wrong use, or cannot be tested
  3  the device asked for is absent";

/// The command, with its exit code.
pub(crate) fn verify(arguments: &VerifyArguments) -> ExitCode {
    let done = if let Some(language) = &arguments.init {
        // The parser knows the languages.
        say(template(language).unwrap_or_default());
        Ok(0)
    } else if let Some(command) = &arguments.exec {
        command::verify(command, arguments)
    } else if arguments.device.is_some() {
        device::verify(arguments)
    } else {
        core::verify(arguments)
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Tells, and writes the files that were asked for.
fn tell(arguments: &VerifyArguments, report: &Report) -> Result<u8, Error> {
    if arguments.json {
        say_json(report)?;
    } else {
        say(&text(report));
    }
    if let Some(folder) = &arguments.out {
        crate::suite::write_report(folder, report)?;
    }
    Ok(report.exit_code())
}
