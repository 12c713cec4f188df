//! Sources with one small fault each, put to tests that take seconds: a fault that none of them sees is a test that is
//! missing. docs/mutants.md says what was found.

use crate::command::{Outcome, Run, job_dir};

const VERSION: &str = "27.1.0";

/// A package, the one whose tests judge its mutants, and which tests those are.
const JUDGES: [(&str, &str, &[&str]); 5] = [
    // Typed or not, a mutant is the same: those tests take most of the time and see nothing else.
    ("presam", "presam-judge", &["--test", "judge", "--", "--skip", "erased::every_pair"]),
    ("presam-model", "presam-model", &["--tests"]),
    ("presam-kernels", "presam-tests", &["--test", "suite", "--", "device::emulated"]),
    ("presam-capi", "presam-capi", &["--tests"]),
    ("presam-conformance", "presam-backends", &["--test", "faults"]),
];

/// Share K of N, counted from 0, of the mutants of each package; every share with mutants that pass is told.
pub(crate) fn mutants(share: &str) -> Outcome {
    let installed = Run::cargo().args(["mutants", "--version"]).output().unwrap_or_default();
    if installed != format!("cargo-mutants {VERSION}") {
        let install = format!("`cargo install cargo-mutants --version {VERSION} --locked`");
        return Err(format!("cargo-mutants {VERSION} is missing: {install}"));
    }
    let shares = JUDGES.iter().map(|judge| of_package(share, judge));
    let survived: Vec<String> = shares.filter_map(Result::err).collect();
    if survived.is_empty() { Ok(()) } else { Err(survived.join("\n")) }
}

fn of_package(share: &str, (package, judge, tests): &(&str, &str, &[&str])) -> Outcome {
    // Kept from one run to the next; after a mutant only what it touched is compiled again.
    let target = job_dir("mutants-build")?.display().to_string();
    // Without a mutant they pass. cargo-mutants' own trial would run the tests of the package instead.
    let test = Run::cargo().args(["test", "--profile", "mutant", "--package", judge]).args(*tests);
    test.env("CARGO_TARGET_DIR", &target).run()?;
    let run = Run::cargo().args(["mutants", "--package", package, "--test-package", judge]);
    let run = run.args(["--baseline", "skip", "--timeout", "120", "--build-timeout", "900"]);
    let run = run.args(["--shard", share, "--output"]).arg(job_dir("mutants")?.join(package));
    run.env("CARGO_TARGET_DIR", &target).arg("--").args(*tests).run()
}
