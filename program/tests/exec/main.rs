//! `presam verify --exec`: right and wrong commands, and commands that do anything but answer; what is
//! said of each, the exit code, and that none survives.
//!
//! Without libtest, whose output would be the child's: the same program is the test and, with `child`
//! as its first argument, the command that is tested.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod child;
#[path = "../common/mod.rs"]
mod common;
mod faults;
mod schema;
mod verdicts;

use std::panic::catch_unwind;
use std::process::ExitCode;

/// A test and its name.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "child") {
        child::run(&words);
        return ExitCode::SUCCESS;
    }
    // As libtest does: the words that are no flags choose tests by a part of their name.
    let chosen: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let tests: Vec<Test> = [verdicts::TESTS, faults::TESTS, schema::TESTS].concat();
    let is_chosen = |(name, _): &&Test| {
        chosen.is_empty() || chosen.iter().any(|part| name.contains(part.as_str()))
    };
    let mut failed = 0;
    for (name, test) in tests.iter().filter(is_chosen) {
        let result = catch_unwind(test);
        println!("test {name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        failed += u32::from(result.is_err());
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The child with these words, as `--exec` takes it.
fn child_command(words: &str) -> String {
    let program = std::env::current_exe().unwrap();
    format!("exec '{}' child {words}", program.display())
}
