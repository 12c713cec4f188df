//! The table of jobs.

mod bare;
mod capi;
mod code;
mod commands;
mod cuda;
mod dependencies;
mod exec;
mod firmware;
mod frameworks;
mod fuzz;
mod gpu_check;
mod house;
mod mpi;
mod mutants;
mod names;
mod no_panic;
mod pandas;
mod picture;
mod profiles;
mod ptx;
mod readme;
mod runs;
mod size;
mod soak;
mod wheel;
mod wrong_codes;

use crate::command::Outcome;

type Valued = fn(&str) -> Outcome;

/// A job: its name, what it does in one line, whether it can check instead of writing (`--check`).
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) checks: bool,
    pub(crate) run: fn(bool) -> Outcome,
    /// A flag that takes a value, and what runs with that.
    pub(crate) valued: Option<(&'static str, Valued)>,
}

impl Job {
    /// Whether it may be started with these.
    pub(crate) fn accepts(&self, flags: &[&str]) -> bool {
        match flags {
            [] => true,
            ["--check"] => self.checks,
            [flag, _] => self.valued.is_some_and(|(known, _)| *flag == known),
            _ => false,
        }
    }

    /// What it takes, to be told.
    pub(crate) fn flag(&self) -> &'static str {
        self.valued.map_or(if self.checks { "--check" } else { "" }, |(flag, _)| flag)
    }
}

const fn job(name: &'static str, what: &'static str, run: fn(bool) -> Outcome) -> Job {
    Job { name, what, checks: false, run, valued: None }
}

const fn checks(name: &'static str, what: &'static str, run: fn(bool) -> Outcome) -> Job {
    Job { checks: true, ..job(name, what, run) }
}

const fn valued(flag: &'static str, with: Valued, job: Job) -> Job {
    Job { valued: Some((flag, with)), ..job }
}

/// Every job: first what a commit needs, then the quick ones.
#[rustfmt::skip]
pub(crate) const JOBS: &[Job] = &[
    job("check", "fmt, clippy, test and doc: before every commit", |_| check()),
    job("all", "every job below", |_| all()),
    job("test", "cargo test, as the README has it", |_| runs::test()),
    job("fmt", "formatting, by rustfmt.toml", |_| code::fmt()),
    job("clippy", "lints on all targets and features, warnings denied", |_| code::clippy()),
    job("doc", "documentation, warnings denied", |_| code::doc()),
    job("names", "no forbidden identifier (CONTRIBUTING.md)", |_| names::names()),
    job("house", "no circle of files, no arrow back, one dispatch, no long file", |_| house::house()),
    checks("readme", "write the tables of variants", readme::readme),
    checks("picture", "draw docs/architecture.svg", picture::picture),
    checks("ptx", "write the GPU's kernels under kernels/ptx", ptx::ptx),
    checks("ptx-check", "lints and ptxas on kernels/ptx; write docs/kernels.md", ptx::ptx_check),
    job("features", "each crate with no feature, each one alone, all but each; warnings denied", |_| code::features()),
    job("bare", "core and model for a Cortex-M0, without std", |_| bare::bare()),
    job("firmware", "train and run the vectors on microcontrollers under QEMU, with the host's bits", |_| firmware::firmware()),
    checks("size", "weigh the flash, RAM and stack of each rule and phase; write docs/size.md", size::size),
    job("no-panic", "no panic, no fused instruction in any phase", |_| no_panic::no_panic()),
    job("profiles", "a crate outside is as fast under every profile of Cargo's", |_| profiles::profiles()),
    job("examples", "run every example of core", |_| runs::examples()),
    job("bench-smoke", "every benchmark once, as a test", |_| runs::bench_smoke()),
    job("package", "package what is published, check the packages on their own", |_| runs::package()),
    job("no-network", "the program and its tests without network", |_| runs::no_network()),
    job("cuda-stub", "a libcuda for machines without one, to build and start with", |_| cuda::cuda_stub()),
    job("cuda-smoke", "the GPU's host code against the stub, the program without a device", |_| cuda::cuda_smoke()),
    checks("gpu-check", "the archive for a machine with a GPU, tried without one", gpu_check::gpu_check),
    job("mpi", "presam train --ranks: lints; one, two and four processes, killed and resumed", |_| mpi::mpi()),
    job("exec-smoke", "verify --exec on programs in C, Python and Rust, right and slipped", |_| exec::exec_smoke()),
    job("wrong-codes", "verify --exec on a share of the codes that are wrong in one narrow way, and of right ones", |_| wrong_codes::wrong_codes()),
    job("wrong-codes-all", "verify --exec on all 130 wrong ones and 22 right ones, at five seeds", |_| wrong_codes::wrong_codes_all()),
    job("fuzz-smoke", "build every fuzz target, run each for 5 seconds", |_| fuzz::fuzz_smoke()),
    checks("capi-header", "write capi/include/presam.h", capi::header),
    job("capi", "the C interface: header, prefix, examples in C, sanitizers, valgrind, firmware", |_| capi::capi()),
    job("capi-install", "header and libraries for C into PRESAM_PREFIX (target/c by default)", |_| capi::capi_install()),
    job("wheel", "the Python package: its wheel, its tests with numpy", |_| wheel::wheel()),
    job("wheel-torch", "its tests with torch (some gigabytes, kept), verify --bits over it", |_| wheel::wheel_torch()),
    job("candle", "the file for candle: lints, tests, its network once (minutes to build)", |_| frameworks::candle()),
    job("burn", "the file for burn: lints, tests, its network once (minutes to build)", |_| frameworks::burn()),
    job("commands", "every command on a page is one that is taken; the quick ones run", |_| commands::commands(takes)),
    valued("--minutes", soak::soak, job("soak", "random steps on every backend side by side, one minute or N", |_| soak::soak("1"))),
    job("deny", "licences, sources and versions of what is depended on; advisories where they can be fetched", |_| dependencies::deny()),
    job("semver", "the API against that of the last release", |_| dependencies::semver()),
    valued("--shard", mutants::mutants, job("mutants", "wrong sources that no test sees, all (days) or a share K/N", |_| mutants::mutants("0/1"))),
    job("mutants-smoke", "fifteen of them, which tests must see", |_| mutants::mutants_smoke()),
    job("pandas", "docs/results.md's snippet on the results of a run", |_| pandas::pandas()),
];

/// Whether these words are a job and flags that it takes.
fn takes(words: &[&str]) -> bool {
    let [name, flags @ ..] = words else { return false };
    JOBS.iter().any(|job| job.name == *name && job.accepts(flags))
}

fn check() -> Outcome {
    in_order(|name| ["fmt", "clippy", "test", "doc"].contains(&name))
}

fn all() -> Outcome {
    in_order(|name| !["check", "all", "mutants"].contains(&name))
}

/// Runs the chosen jobs in the table's order, checking and never writing, up to the first failure.
fn in_order(chosen: impl Fn(&str) -> bool) -> Outcome {
    for job in JOBS.iter().filter(|job| chosen(job.name)) {
        eprintln!("== {}", job.name);
        (job.run)(job.checks).map_err(|reason| format!("{}: {reason}", job.name))?;
    }
    Ok(())
}
