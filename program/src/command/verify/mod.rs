//! `presam verify`: the core, a device, or anybody's command; and what a command can begin with.

mod command;
mod core;
mod device;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::error::Error;
use crate::init::template;
use crate::show::view::View;
use crate::suite::{Report, text};

use crate::command::say::{aside, say, say_json};
use crate::command::scalar::ScalarType;

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
  1  differs, or restores by subtraction without --allow subtraction
  2  wrong use, or cannot be tested
  3  the device asked for is absent";

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// Cases for each law and rule [default: 16; 48 to 1024 of a command, the fewer rules the more; 2 on a device, 8 on a GPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) cases: Option<u32>,
    /// What the cases are drawn from [default: 1]
    #[arg(hide_short_help = true, long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Every column of a table, however narrow the terminal
    #[arg(hide_short_help = true, long)]
    pub(crate) wide: bool,
    /// One JSON document on stdout and nothing else
    #[arg(hide_short_help = true, long)]
    pub(crate) json: bool,
    /// Folder for report.json and report.txt
    #[arg(long, value_name = "DIR", conflicts_with = "device")]
    pub(crate) out: Option<PathBuf>,
    /// A device's kernels against the core: emulated, ptx or cuda[:N]
    #[arg(long, value_name = "NAME", help_heading = "Kernels")]
    pub(crate) device: Option<String>,
    /// Sixteen cases (forty on a GPU) and five epochs, for minutes
    #[arg(hide_short_help = true, long, requires = "device", conflicts_with_all = ["exec", "cases", "epochs"], help_heading = "Kernels")]
    pub(crate) full: bool,
    /// Epochs of the training runs, 0 for none of them [default: 2; 60 on a GPU]
    #[arg(
        hide_short_help = true,
        long,
        value_name = "N",
        requires = "device",
        conflicts_with = "exec",
        help_heading = "Kernels"
    )]
    pub(crate) epochs: Option<u32>,
    /// A command that answers on its standard output what is asked on its standard input
    #[arg(long, value_name = "COMMAND", conflicts_with = "device", help_heading = "Your own code")]
    pub(crate) exec: Option<String>,
    /// Print an adapter to fill in: python, torch or c
    #[arg(long, value_name = "LANGUAGE", exclusive = true, help_heading = "Your own code")]
    #[arg(value_parser = template)]
    pub(crate) init: Option<&'static str>,
    /// Rules [default: all that the command has]
    #[arg(
        long,
        value_name = "A,B",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    pub(crate) rules: Option<String>,
    /// Only this scalar type [default: each that the command has]
    #[arg(
        hide_short_help = true,
        long,
        value_name = "TYPE",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    pub(crate) scalar: Option<ScalarType>,
    /// Every bit must be the core's
    #[arg(long, requires = "exec", conflicts_with_all = ["device", "ulp"], help_heading = "Your own code")]
    pub(crate) bits: bool,
    /// Within N units in the last place [default: within the oracle's error bound]
    #[arg(
        hide_short_help = true,
        long,
        value_name = "N",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    pub(crate) ulp: Option<u32>,
    /// Four times the cases, and some with 65,537 elements or a thousand steps: minutes
    #[arg(long, requires = "exec", conflicts_with_all = ["device", "replay"], help_heading = "Your own code")]
    pub(crate) thorough: bool,
    /// What is no reason to differ: subtraction, parameters restored as (w + e) - e
    #[arg(
        hide_short_help = true,
        long,
        value_name = "WHAT",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    pub(crate) allow: Option<Allowed>,
    /// How long an answer, or the hello, may take [default: 10, the hello 60]
    #[arg(
        hide_short_help = true,
        long,
        value_name = "SECONDS",
        requires = "exec",
        conflicts_with = "device",
        allow_hyphen_values = true
    )]
    #[arg(help_heading = "Your own code")]
    pub(crate) timeout: Option<f64>,
    /// Folder for one file a failing law, to be tried again
    #[arg(
        long,
        value_name = "DIR",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    pub(crate) save_failing: Option<PathBuf>,
    /// Try one of these files again, and nothing else
    #[arg(
        long,
        value_name = "FILE",
        requires = "exec",
        conflicts_with = "device",
        help_heading = "Your own code"
    )]
    #[arg(conflicts_with_all = ["bits", "save_failing", "out", "json", "cases", "seed", "rules", "scalar"])]
    pub(crate) replay: Option<PathBuf>,
}

/// What a command may do and still agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Allowed {
    /// Restore its parameters by subtraction.
    Subtraction,
}

/// The command, with its exit code.
pub(crate) fn verify(arguments: &VerifyArguments) -> Result<u8, Error> {
    if let Some(adapter) = arguments.init {
        say(adapter);
        Ok(0)
    } else if let Some(command) = &arguments.exec {
        command::verify(command, arguments)
    } else if arguments.device.is_some() {
        device::verify(arguments)
    } else {
        core::verify(arguments)
    }
}

/// Tells, and writes the files that were asked for.
fn tell(arguments: &VerifyArguments, report: &Report) -> Result<u8, Error> {
    if arguments.json {
        say_json(report)?;
    } else {
        say(&text(report, View::of_stdout(arguments.wide)));
    }
    if let Some(folder) = &arguments.out {
        crate::suite::write_report(folder, report)?;
    }
    if let Some(missing) = report.incomplete() {
        aside(format_args!("error: {missing}"));
    }
    Ok(report.exit_code())
}
