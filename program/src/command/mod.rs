//! The command line of `presam`: it trains with every sharpness-aware method and says which is best.
//!
//! Results go to stdout, progress and messages to stderr. Exit codes: 0 good, 1 differs, 2 wrong use or
//! cannot be tested, 3 the device asked for is absent.

mod arguments;
mod bench;
mod listing;
mod progress;
mod train;
mod vectors;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use crate::error::Error;
use arguments::{Arguments, Command};
use clap::Parser;

/// Does what the arguments say.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        None => train::train(&arguments.train),
        Some(Command::Train(train)) => train::train(&train),
        Some(Command::Bench(arguments)) => return bench::bench(&arguments),
        Some(Command::Verify(arguments)) => return verify::verify(&arguments),
        Some(Command::Vectors(arguments)) => vectors::write(&arguments),
        Some(Command::Methods(methods)) => listing::methods(methods.name.as_deref(), methods.json),
        Some(Command::Info(info)) => listing::info(info.json),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Writes a result to stdout. A reader that has gone (`presam methods | head`) is no failure; a full disk is
/// one, and ends the program: a result that is half there must not look good.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(reason) if reason.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("error: stdout: expected a place to write to, found {reason}");
            std::process::exit(2);
        }
        _ => {}
    }
}

/// Writes one JSON document to stdout.
fn say_json<T: serde::Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(|reason| {
        crate::config::ConfigError::new("--json", "a result that JSON can hold", reason)
    })?;
    say(&format!("{text}\n"));
    Ok(())
}
