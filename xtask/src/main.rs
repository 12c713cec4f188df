//! Every job of continuous integration, one command each: `cargo xtask NAME`.
//!
//! What the continuous integration runs, a developer can type. A job prints each command before it
//! runs it and stops at the first that fails.

mod command;
mod jobs;
mod suggest;
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
        let hint = suggest::nearest(name, JOBS.iter().map(|job| job.name));
        let hint = hint.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        format!("no such job{hint} (`cargo xtask` lists them)")
    })
}

fn start(job: &Job, flags: &[String]) -> Result<(), String> {
    if let Some(unknown) = flags.iter().find(|flag| !job.flags.contains(&flag.as_str())) {
        return Err(format!("unknown flag {unknown}; expected one of {:?}", job.flags));
    }
    (job.run)(flags)
}

fn table() -> String {
    let width = JOBS.iter().map(|job| job.name.len()).max().unwrap_or(0);
    let rows = JOBS.iter().map(|job| {
        let flags = job.flags.iter().map(|flag| format!(" [{flag}]")).collect::<String>();
        format!("  {:<width$}  {}{flags}\n", job.name, job.what)
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
    fn a_misspelt_job_gets_a_suggestion() {
        let message = find("clipy").map(|job| job.name).unwrap_err();
        assert!(message.contains("`clippy`"), "{message}");
        assert!(!find("zzzzzzzz").map(|job| job.name).unwrap_err().contains("mean"));
    }

    #[test]
    fn an_unknown_flag_is_refused() {
        let job = find("readme").unwrap();
        assert!(start(job, &["--chekc".into()]).unwrap_err().contains("--check"));
    }
}
