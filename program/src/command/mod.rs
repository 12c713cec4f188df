//! The command line of `presam`: it trains with every sharpness-aware method and says which is best.
//!
//! Results go to stdout, progress and messages to stderr. Exit codes: 0 good, 1 differs, 2 wrong use or
//! cannot be tested, 3 the device asked for is absent.

mod arguments;
mod bench;
mod listing;
mod progress;
mod ranks;
mod refused;
mod report;
mod say;
mod scalar;
mod told;
mod train;
mod vectors;
mod verify;
#[cfg(feature = "mpi")]
mod world;

use std::process::ExitCode;

use arguments::Command;

/// Does what the arguments say.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = refused::arguments();
    let done = match arguments.command {
        None => train::train(&arguments.train).map(|()| 0),
        Some(Command::Train(train)) => train::train(&train).map(|()| 0),
        Some(Command::Report(arguments)) => report::report(&arguments).map(|()| 0),
        Some(Command::Bench(arguments)) => bench::bench(&arguments).map(|()| 0),
        Some(Command::Verify(arguments)) => verify::verify(&arguments),
        Some(Command::Vectors(arguments)) => vectors::write(&arguments).map(|()| 0),
        Some(Command::Methods(methods)) => listing::methods(&methods).map(|()| 0),
        Some(Command::Info(info)) => listing::info(&info).map(|()| 0),
    };
    ExitCode::from(done.unwrap_or_else(|error| {
        say::aside(format_args!("error: {error}"));
        error.exit_code()
    }))
}
