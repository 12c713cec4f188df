//! What the compiler and its tools say of the text.

use crate::command::{Outcome, Run, job_dir};
use crate::workspace;
use std::collections::BTreeSet;

/// Workspaces of their own, out of reach of `--all`.
const APART: [&str; 8] = [
    "xtask/bare-probe/Cargo.toml",
    "xtask/size-probe/Cargo.toml",
    "xtask/stranger/Cargo.toml",
    "tests/firmware/Cargo.toml",
    "examples/candle/Cargo.toml",
    "examples/burn/Cargo.toml",
    "fuzz/Cargo.toml",
    "python/Cargo.toml",
];

/// The feature that needs an MPI library to build: the job of its name has it, the others leave it out.
const MPI: &str = "mpi";

const DENIED: [&str; 3] = ["--", "-D", "warnings"];

pub(crate) fn fmt() -> Outcome {
    for own in APART {
        Run::cargo().args(["fmt", "--all", "--check", "--manifest-path", own]).run()?;
    }
    Run::cargo().args(["fmt", "--all", "--check"]).run()
}

/// Cargo with every feature at hand, `cuda` too: with `DOCS_RS` its bindings ask for no driver. In a
/// target folder of its own, since their build script does not notice that the variable came or went.
fn without_driver(subcommand: &str) -> Result<Run, String> {
    let target = job_dir("check")?.display().to_string();
    let run = Run::cargo().arg(subcommand).env("DOCS_RS", "1").env("CARGO_TARGET_DIR", &target);
    // What is checked and never run needs no optimisation of its macros and build scripts.
    Ok(run.args(["--profile", "quick"]))
}

pub(crate) fn clippy() -> Outcome {
    let clippy = || without_driver("clippy");
    let all = ["--workspace", "--all-targets", "--features", &every_feature()?];
    clippy()?.args(all).args(DENIED).run()?;
    // What the features hide: the loops that firmware gets.
    for package in ["presam", "presam-model"] {
        clippy()?.args(["-p", package, "--no-default-features"]).args(DENIED).run()?;
    }
    Ok(())
}

pub(crate) fn doc() -> Outcome {
    let doc =
        without_driver("doc")?.args(["--workspace", "--no-deps", "--features", &every_feature()?]);
    doc.env("RUSTDOCFLAGS", "-D warnings").run()
}

/// Every crate that has features with none of them, with each one alone and with all but each one; all at once are
/// the job clippy's.
pub(crate) fn features() -> Outcome {
    for package in workspace::packages(&crate::command::root())? {
        for features in combinations(&features_of(&package)) {
            let clippy = without_driver("clippy")?.args(["-p", &package.name]);
            let clippy = clippy.args(["--no-default-features", "--features", &features]);
            clippy.args(DENIED).run()?;
        }
    }
    Ok(())
}

/// The features of a package, but for `mpi`.
fn features_of(package: &workspace::Package) -> BTreeSet<&str> {
    package.features().into_iter().filter(|name| *name != MPI).collect()
}

/// Those of all packages, as `--features` takes them.
fn every_feature() -> Result<String, String> {
    let packages = workspace::packages(&crate::command::root())?;
    let named = |package: &workspace::Package| -> Vec<String> {
        features_of(package).iter().map(|name| format!("{}/{name}", package.name)).collect()
    };
    Ok(packages.iter().flat_map(named).collect::<Vec<_>>().join(","))
}

/// None, each one alone and all but each one, as `--features` takes them; nothing of a crate without features.
/// What needs a feature that is off, or is at odds with another that is on, fails in one of them.
fn combinations(features: &BTreeSet<&str>) -> BTreeSet<String> {
    let of = |keep: &dyn Fn(&str) -> bool| -> String {
        let kept: Vec<&str> = features.iter().copied().filter(|name| keep(name)).collect();
        kept.join(",")
    };
    let all = features.iter();
    all.flat_map(|one| [of(&|_| false), of(&|name| name == *one), of(&|name| name != *one)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_each_one_alone_and_all_but_each_one() {
        let of = |names: &[&'static str]| -> Vec<String> {
            combinations(&names.iter().copied().collect()).into_iter().collect()
        };
        assert_eq!(
            of(&["a", "b", "c", "d"]),
            ["", "a", "a,b,c", "a,b,d", "a,c,d", "b", "b,c,d", "c", "d"]
        );
        assert_eq!(of(&["a", "b"]), ["", "a", "b"]);
        assert_eq!(of(&[]), Vec::<String>::new());
    }
}
