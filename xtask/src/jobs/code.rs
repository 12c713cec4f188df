//! What the compiler and its tools say of the text.

use crate::command::{Outcome, Run, root};

/// The probe is a workspace of its own, out of reach of `--all`.
const PROBE: &str = "xtask/bare-probe/Cargo.toml";

/// Everything but the crate whose feature `cuda` needs a driver: the job cuda-clippy has that.
const REST: [&str; 4] = ["--workspace", "--exclude", "presam-cuda", "--all-features"];

pub(crate) fn fmt() -> Outcome {
    Run::cargo().args(["fmt", "--all", "--check"]).run()?;
    Run::cargo().args(["fmt", "--check", "--manifest-path", PROBE]).run()
}

pub(crate) fn clippy() -> Outcome {
    let clippy = || Run::cargo().args(["clippy", "--all-targets"]);
    let denied = ["--", "-D", "warnings"];
    clippy().args(REST).args(denied).run()?;
    clippy().args(["-p", "presam-cuda"]).args(denied).run()?;
    // What the features hide: the loops that firmware gets.
    for package in ["presam", "presam-model"] {
        clippy().args(["-p", package, "--no-default-features"]).args(denied).run()?;
    }
    Ok(())
}

pub(crate) fn doc() -> Outcome {
    let doc = || Run::cargo().args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    doc().args(REST).run()?;
    doc().args(["-p", "presam-cuda"]).run()
}

/// Every combination of the features of the crates that have any, `cuda` apart (cuda-clippy).
///
/// Resolver 3 keeps the features of dev-dependencies out of a build of libraries and programs, so
/// cargo-hack's `--no-dev-deps`, which rewrites the manifests while it runs, has nothing to add.
pub(crate) fn powerset() -> Outcome {
    if !Run::cargo().args(["hack", "--version"]).succeeds() {
        return Err("cargo-hack is missing: `cargo install cargo-hack --locked`".into());
    }
    let packages = ["presam", "presam-model", "presam-cuda"];
    let hack = Run::cargo().args([
        "hack",
        "clippy",
        "--feature-powerset",
        "--exclude-features",
        "default,cuda",
    ]);
    let hack = packages.iter().fold(hack, |hack, package| hack.args(["-p", package]));
    hack.args(["--", "-D", "warnings"]).dir(&root()).run()
}
