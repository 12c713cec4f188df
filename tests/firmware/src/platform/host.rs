//! A host: prints, measures nothing.

use crate::fault::Fault;
use crate::machine::Machine;
use core::fmt::Arguments;
use std::process::ExitCode;

struct Host;

impl Machine for Host {
    fn line(&mut self, text: Arguments<'_>) {
        println!("{text}");
    }

    fn instructions(&mut self) -> Option<u64> {
        None
    }

    fn paint(&mut self) {}

    fn stack(&mut self) -> Option<usize> {
        None
    }

    fn static_ram(&self) -> Option<usize> {
        None
    }
}

/// Runs an image's program.
pub fn start(run: fn(&mut dyn Machine) -> Result<(), Fault>) -> ExitCode {
    match run(&mut Host) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}
