//! The program `presam`.

use std::process::ExitCode;

fn main() -> ExitCode {
    presam_program::command::run()
}
