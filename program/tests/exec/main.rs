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
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

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
    let queue = Mutex::new(tests.iter().filter(is_chosen).copied());
    let failed = AtomicU32::new(0);
    let work = || {
        while let Some((name, test)) = { queue.lock().unwrap().next() } {
            let (start, result) = (Instant::now(), catch_unwind(test));
            let word = if result.is_ok() { "ok" } else { "FAILED" };
            println!("test {name} ... {word} ({:.1} s)", start.elapsed().as_secs_f64());
            failed.fetch_add(u32::from(result.is_err()), Ordering::Relaxed);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    if failed.into_inner() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The child with these words, as `--exec` takes it.
fn child_command(words: &str) -> String {
    let program = std::env::current_exe().unwrap();
    format!("exec '{}' child {words}", program.display())
}
