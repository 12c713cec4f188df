//! Every job of continuous integration, one command each: `cargo xtask NAME`.
//!
//! What the continuous integration runs, a developer can type. A job prints each command before it
//! runs it and stops at the first that fails.

mod command;
mod jobs;
mod toolchain;
mod words;
mod workspace;

use jobs::{JOBS, Job};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, flags)) = arguments.split_first() else {
        print!("{}", table());
        return ExitCode::SUCCESS;
    };
    match find(name).and_then(|job| start(job, flags)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask {name}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn find(name: &str) -> Result<&'static Job, String> {
    JOBS.iter().find(|job| job.name == name).ok_or_else(|| {
        let names: Vec<&str> = JOBS.iter().map(|job| job.name).collect();
        format!("no such job; expected one of {}", names.join(", "))
    })
}

fn start(job: &Job, flags: &[String]) -> Result<(), String> {
    let given: Vec<&str> = flags.iter().map(String::as_str).collect();
    if !job.accepts(&given) {
        return Err(format!("unknown flag {}; expected {:?} or none", given.join(" "), job.flag()));
    }
    match (given.as_slice(), job.valued) {
        ([_, value], Some((_, run))) => run(value),
        (given, _) => (job.run)(!given.is_empty()),
    }
}

fn table() -> String {
    let width = JOBS.iter().map(|job| job.name.len()).max().unwrap_or(0);
    let rows = JOBS.iter().map(|job| {
        let check = if job.checks { "; with --check, fail where that is stale" } else { "" };
        format!("  {:<width$}  {}{check}\n", job.name, job.what)
    });
    format!("Usage: cargo xtask JOB\n\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_listed() {
        for (index, job) in JOBS.iter().enumerate() {
            assert!(table().contains(&format!("  {} ", job.name)), "{}", job.name);
            assert!(JOBS.iter().skip(index + 1).all(|other| other.name != job.name));
        }
    }

    #[test]
    fn a_misspelt_job_is_answered_with_the_right_ones() {
        let message = find("clipy").map(|job| job.name).unwrap_err();
        assert!(message.contains(" clippy,"), "{message}");
    }

    #[test]
    fn an_unknown_flag_is_refused() {
        for (name, flag) in [("readme", "--chekc"), ("fmt", "--check"), ("soak", "--minutes")] {
            let message = start(find(name).unwrap(), &[flag.into()]).unwrap_err();
            assert!(message.starts_with(&format!("unknown flag {flag}")), "{message}");
        }
    }
}
