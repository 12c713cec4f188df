//! Sources with one small fault each, put to tests that take seconds: a fault that none of them sees is a test that is
//! missing. docs/mutants.md says what was found.

use crate::command::{Outcome, Run, job_dir};

const VERSION: &str = "27.1.0";

/// Which mutants, and which tests judge them.
#[derive(Clone, Copy)]
struct Judge {
    /// The package that is mutated, and which of its files. (By `--re` those mutants that leave out a field would be in
    /// every part.)
    package: &'static str,
    of: &'static [&'static str],
    /// How it is compiled: [`CORE`], [`ABOVE`] it, or [`KERNELS`].
    profile: &'static str,
    /// The package whose tests judge, flags for Cargo, with which it compiles them too (else it would compile all tests
    /// of the package), and what the tests' own binary is told.
    judge: &'static str,
    tests: &'static [&'static str],
    told: &'static [&'static str],
}

/// What is compiled for one processor or another is here alone.
const LEVELS: &str = "core/src/cpu.rs";
/// Rules without their type, which `erased` compares with those that have it; elsewhere a mutant is the same in both.
const UNTYPED: &str = "core/src/{erased/**,any.rs,planes.rs,switch.rs}";

/// Unoptimised, core and all that stands on it.
const CORE: &str = "mutant";
/// Core optimised, where another package is mutated.
const ABOVE: &str = "mutant-above";
/// The same with kernels that the emulator runs in seconds.
const KERNELS: &str = "mutant-kernels";

/// What is compiled for a GPU alone, and what only names the texts.
const ON_GPUS: &str = "kernels/src/{gpu,ptx}.rs";
const NETWORK: &str = "kernels/src/network/**";
/// What its own tests know better than any step: numbers as words, and 16-bit floats in every bit.
const NUMBERS: &str = "kernels/src/{plain,narrow,widen}.rs";

const JUDGES: [Judge; 9] = [
    Judge {
        package: "presam",
        of: &["--file", "core/src/**", "--exclude", LEVELS, "--exclude", UNTYPED],
        profile: CORE,
        judge: "presam-judge",
        tests: &["--test", "judge"],
        told: &["--skip", "erased::every"],
    },
    Judge {
        package: "presam",
        of: &["--file", UNTYPED],
        profile: CORE,
        judge: "presam-judge",
        tests: &["--test", "judge"],
        told: &[],
    },
    Judge {
        package: "presam",
        of: &["--file", LEVELS],
        profile: CORE,
        judge: "presam-judge",
        tests: &["--test", "judge", "--features", "presam-judge/simd"],
        told: &[],
    },
    Judge {
        package: "presam-model",
        of: &["--file", "model/src/**"],
        profile: CORE,
        judge: "presam-model",
        tests: &["--tests", "--all-features"],
        told: &[],
    },
    Judge {
        package: "presam-kernels",
        of: &[
            "--file",
            "kernels/src/**",
            "--exclude",
            ON_GPUS,
            "--exclude",
            NETWORK,
            "--exclude",
            NUMBERS,
        ],
        profile: KERNELS,
        judge: "presam-program",
        tests: &["--lib"],
        told: &["check::"],
    },
    Judge {
        package: "presam-kernels",
        of: &["--file", NUMBERS],
        profile: KERNELS,
        judge: "presam-kernels",
        // Not whether the texts are fresh: of a mutant they never are.
        tests: &["--lib", "--test", "rules", "--test", "widen"],
        told: &[],
    },
    Judge {
        package: "presam-kernels",
        of: &["--file", NETWORK],
        profile: KERNELS,
        judge: "presam-program",
        tests: &["--lib"],
        // No law asks for the network.
        told: &["check::tests::the_emulator_gives_the_bits_of_the_core_beside"],
    },
    Judge {
        package: "presam-capi",
        of: &["--file", "capi/src/**"],
        profile: ABOVE,
        judge: "presam-capi",
        tests: &["--tests"],
        told: &[],
    },
    Judge {
        package: "presam-conformance",
        of: &["--file", "tests/conformance/src/laws/**"],
        profile: ABOVE,
        judge: "presam-backends",
        tests: &["--test", "faults", "--test", "asked", "--no-default-features"],
        // The table in `f64` alone: what that passes is put to the whole of it by hand.
        told: &["--skip", "and_others"],
    },
];

/// Of two files of core, of whose mutants none passes.
const SMOKE: Judge = Judge {
    of: &["--file", "core/src/base/sgd.rs", "--file", "core/src/variants/info_asam.rs"],
    ..JUDGES[0]
};

/// Share K of N, counted from 0, of all mutants; every judge that some of them pass is told.
pub(crate) fn mutants(share: &str) -> Outcome {
    is_installed()?;
    let shares = JUDGES.iter().enumerate().map(|(index, judge)| judged(share, index, judge));
    let survived: Vec<String> = shares.filter_map(Result::err).collect();
    if survived.is_empty() { Ok(()) } else { Err(survived.join("\n")) }
}

/// The share of continuous integration: two minutes of one core.
pub(crate) fn mutants_smoke() -> Outcome {
    is_installed()?;
    judged("0/3", JUDGES.len(), &SMOKE)
}

fn is_installed() -> Outcome {
    let installed = Run::cargo().args(["mutants", "--version"]).output().unwrap_or_default();
    if installed != format!("cargo-mutants {VERSION}") {
        let install = format!("`cargo install cargo-mutants --version {VERSION} --locked`");
        return Err(format!("cargo-mutants {VERSION} is missing: {install}"));
    }
    Ok(())
}

fn judged(share: &str, index: usize, judge: &Judge) -> Outcome {
    // Kept from one run to the next; after a mutant only what it touched is compiled again.
    let target = job_dir("mutants-build")?.display().to_string();
    // The first test that fails is enough: a flag that the test harness of a stable compiler keeps for those who ask so.
    let told = [&["--", "-Zunstable-options", "--fail-fast"], judge.told].concat();
    let with = |run: Run| run.env("CARGO_TARGET_DIR", &target).env("RUSTC_BOOTSTRAP", "1");
    // Without a mutant they pass. cargo-mutants' own trial would run the tests of the package instead.
    let test = Run::cargo().args(["test", "--profile", judge.profile, "--package", judge.judge]);
    // As cargo-mutants has it: what is compiled here is not compiled again.
    let test = test.env("RUSTFLAGS", "--cap-lints=warn");
    with(test.args(judge.tests).args(&told)).run()?;
    let run = Run::cargo()
        .args(["mutants", "--profile", judge.profile, "--package", judge.package])
        .args(judge.of);
    let run = run.args(["--test-package", judge.judge, "--baseline", "skip", "--timeout", "120"]);
    let run = run.args(["--build-timeout", "900", "--shard", share, "--sharding", "round-robin"]);
    let run = run.args(judge.tests.iter().map(|flag| format!("--cargo-arg={flag}")));
    let run = run.arg("--output").arg(job_dir("mutants")?.join(index.to_string()));
    with(run.arg("--").args(&told)).run()
}
