//! The table of jobs.

mod bare;
mod code;
mod names;
mod no_panic;
mod python;
mod readme;
mod runs;

use crate::command::Outcome;

/// A job: its name, what it does in one line, the flags it takes.
pub(crate) struct Job {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) flags: &'static [&'static str],
    pub(crate) run: fn(&[String]) -> Outcome,
}

const fn job(name: &'static str, what: &'static str, run: fn(&[String]) -> Outcome) -> Job {
    Job { name, what, flags: &[], run }
}

/// Every job, the quick ones first.
pub(crate) const JOBS: &[Job] = &[
    job("check", "fmt, clippy, test, doc: before every commit", |_| in_order(CHECK)),
    job("all", "every job below", |_| in_order(&JOBS[2..])),
    job("fmt", "formatting, as rustfmt.toml has it", |_| code::fmt()),
    job("clippy", "lints on all targets and features, warnings denied", |_| code::clippy()),
    job("test", "cargo test, as the README has it", |_| runs::test()),
    job("doc", "documentation, warnings denied", |_| code::doc()),
    job("names", "no forbidden name (CONTRIBUTING.md) as an identifier", |_| names::names()),
    Job {
        name: "readme",
        what: "write the variant tables of both READMEs; --check: fail where they are stale",
        flags: &["--check"],
        run: readme::readme,
    },
    job("powerset", "every combination of features, warnings denied (cargo-hack)", |_| {
        code::powerset()
    }),
    job("bare", "core and model for Cortex-M4F and Cortex-M0, without std", |_| bare::bare()),
    job("no-panic", "no panic and no fused instruction in a bare object of every phase", |_| {
        no_panic::no_panic()
    }),
    job("examples", "build every example, run those of core and model", |_| runs::examples()),
    job("bench-smoke", "run every benchmark once, as a test", |_| runs::bench_smoke()),
    job("package", "package every crate that is published, and build the packages", |_| {
        runs::package()
    }),
    job("no-network", "the program and its tests without network", |_| runs::no_network()),
    job("pandas", "the snippet of docs/results.md on the results of a short run", |_| {
        python::pandas()
    }),
];

const CHECK: &[Job] = &[
    job("fmt", "", |_| code::fmt()),
    job("clippy", "", |_| code::clippy()),
    job("test", "", |_| runs::test()),
    job("doc", "", |_| code::doc()),
];
