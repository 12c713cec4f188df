//! Everything around the GPU that needs no GPU: the stub driver, the host's code upon it, and what the
//! program does where no device is found.

pub(super) mod stub;

use crate::command::{Outcome, Run, target_dir};
use std::path::PathBuf;

/// A run of the program on a machine without a GPU: its arguments; the exit code, where 3 is "the device
/// asked for is absent"; what must be on stdout, or, of a failure, in its one line on stderr.
type Check = (&'static [&'static str], i32, &'static str);

pub(super) const ABSENT: &str = "device cuda:0: expected one, found no CUDA device";
const CHECKS: [Check; 4] = [
    (&["info"], 0, "no CUDA device"),
    (&["verify", "--device", "cuda"], 3, ABSENT),
    (&["bench", "--device", "cuda"], 3, ABSENT),
    (&["train", "--device", "cuda"], 3, ABSENT),
];

/// Makes the stub and says how to use it.
pub(crate) fn cuda_stub() -> Outcome {
    stub::make()?;
    let folder = stub::folder();
    println!("export CUDA_LIBRARY_PATH={}", folder.display());
    let lib = folder.join("lib64");
    println!("export LD_LIBRARY_PATH={}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}", lib.display());
    eprintln!(
        "the second is for machines without a driver: where there is one, it would hide the GPU"
    );
    Ok(())
}

/// The same command, able to link and start what needs the driver. The stub must have been made.
pub(crate) fn with_stub(run: Run) -> Run {
    stub::variables().iter().fold(run, |run, (name, value)| run.env(name, value))
}

/// The same command on a machine that has the stub for a driver and no device.
pub(super) fn without_device(run: Run) -> Run {
    with_stub(run).without_env("PRESAM_STUB_CUDA").without_env("PRESAM_STUB_FAIL")
}

/// The program that [`build`] makes.
pub(super) fn program() -> PathBuf {
    target_dir().join("quick").join("presam")
}

/// Cargo for what links the driver, here its stub. One choice of packages for builds and tests, so that
/// nothing is compiled twice. Fit for a stub, on which nothing computes.
fn upon_stub(subcommand: &str) -> Run {
    let run = with_stub(Run::cargo()).arg(subcommand).args(["--profile", "quick"]);
    run.args(["-p", "presam-cuda", "-p", "presam-program", "--features", "presam-program/cuda"])
}

/// Makes the stub and builds the program with it.
pub(super) fn build() -> Outcome {
    stub::make()?;
    upon_stub("build").args(["--bin", "presam"]).run()
}

/// Builds with the stub; tests the host's side against its fake device, then the program without one.
pub(crate) fn cuda_smoke() -> Outcome {
    build()?;
    // The fake device is one for all threads, and keeps no order among them.
    let fake = || {
        let test = upon_stub("test").env("PRESAM_STUB_CUDA", "fake");
        test.env("RUST_TEST_THREADS", "1").args(["--lib", "cuda::"])
    };
    tested(fake)?;
    tested(|| upon_stub("test").args(["--test", "stub"]))?;
    CHECKS.iter().try_for_each(|check| {
        let run = without_device(Run::program(program())).args(check.0);
        let (code, out, err) = run.answer()?;
        judge(*check, code, &out, &err)
            .map_err(|reason| format!("{:?}: {reason}\n{out}{err}", check.0))
    })
}

/// Runs tests; that there are none is a failure.
fn tested(tests: impl Fn() -> Run) -> Outcome {
    let list = tests().args(["--", "--list"]).output().unwrap_or_default();
    tests().run()?;
    let count = list.lines().filter(|line| line.ends_with(": test")).count();
    if count == 0 { Err("there was no test to run".to_owned()) } else { Ok(()) }
}

/// Whether the program did what the table says: its code, its words, one line for a failure, no panic.
fn judge((_, expected, words): Check, code: Option<i32>, out: &str, err: &str) -> Outcome {
    let said = if expected == 0 { out } else { err };
    if err.contains("panicked") {
        Err("it panicked".to_owned())
    } else if code != Some(expected) {
        Err(format!("expected exit code {expected}, found {code:?}"))
    } else if !said.contains(words) {
        Err(format!("expected the words {words:?}"))
    } else if expected != 0 && err.lines().count() != 1 {
        Err("expected one line on stderr".to_owned())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_fail_is_caught() {
        let good = "error: device cuda:0: expected one, found no CUDA device\n";
        let check = CHECKS[1];
        assert_eq!(judge(check, Some(3), "", good), Ok(()));
        let two_lines = format!("{good}more\n");
        let panicked = format!("thread main panicked\n{good}");
        for (code, err) in [
            (Some(1), good),
            (None, good),
            (Some(3), ""),
            (Some(3), &two_lines),
            (Some(3), &panicked),
        ] {
            assert!(judge(check, code, good, err).is_err(), "{code:?} {err}");
        }
        let info = CHECKS[0];
        assert_eq!(judge(info, Some(0), "devices  no CUDA device was found\n", ""), Ok(()));
        assert!(judge(info, Some(0), "devices  cpu\n", "no CUDA device").is_err());
    }
}
