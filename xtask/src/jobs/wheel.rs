//! The Python package: its wheel, and its tests with numpy alone and with torch.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::command::{Outcome, Run, emptied, entries, install, job_dir, quoted, root, target_dir};

const MANIFEST: &str = "python/Cargo.toml";
/// What builds and tests, in every environment.
const TOOLS: [&str; 3] = ["maturin>=1.9,<2", "numpy", "pytest"];

pub(crate) fn wheel() -> Outcome {
    let python = environment("python-numpy", &["maturin", "numpy", "pytest"], &TOOLS)?;
    let target = job_dir("python")?.display().to_string();
    let clippy = Run::cargo().args(["clippy", "--manifest-path", MANIFEST, "--release"]);
    clippy.args(["--", "-D", "warnings"]).env("CARGO_TARGET_DIR", &target).run()?;
    let wheel = built(&python, &target)?;
    tested(&python, &wheel)
}

/// What takes long: the program's laws over the package, and the tests with torch.
pub(crate) fn wheel_torch() -> Outcome {
    let python = environment("python-numpy", &["maturin", "numpy", "pytest"], &TOOLS)?;
    let wheel = built(&python, &job_dir("python")?.display().to_string())?;
    tested(&python, &wheel)?;
    verified(&python)?;
    tested(&with_torch()?, &wheel)
}

/// An interpreter of its own with these modules, its packages installed if need be; kept between runs.
fn environment(name: &str, modules: &[&str], packages: &[&str]) -> Result<PathBuf, String> {
    let kept = env::var_os("PRESAM_CI_TOOLS").map(PathBuf::from);
    let venv = kept.unwrap_or(job_dir("wheel")?).join(name);
    let python = venv.join("bin/python");
    let import = format!("import {}", modules.join(", "));
    if !Run::program(&python).args(["-c", &import]).succeeds() {
        install(&venv, packages)?;
    }
    Ok(python)
}

/// From PyPI torch is some gigabytes: once, and its time is told.
fn with_torch() -> Result<PathBuf, String> {
    let begun = Instant::now();
    let modules = ["numpy", "pytest", "torch"];
    let python = environment("python-torch", &modules, &modules)?;
    eprintln!("an environment with torch: {} s", begun.elapsed().as_secs());
    Ok(python)
}

/// Builds the one wheel.
fn built(python: &Path, target: &str) -> Result<PathBuf, String> {
    let out = job_dir("wheels")?;
    emptied(&out)?;
    let maturin =
        Run::program(python).args(["-m", "maturin", "build", "--release", "-m", MANIFEST]);
    maturin.arg("--out").arg(&out).env("CARGO_TARGET_DIR", target).run()?;
    entries(&out).pop().ok_or_else(|| format!("maturin left no wheel in {}", out.display()))
}

/// Installs the wheel and runs every test that this interpreter can.
fn tested(python: &Path, wheel: &Path) -> Outcome {
    let pip = Run::program(python).args(["-m", "pip", "install", "--quiet", "--no-deps"]);
    pip.args(["--force-reinstall", "--no-index"]).arg(wheel).run()?;
    let begun = Instant::now();
    let tests = root().join("python/tests");
    Run::program(python)
        .args(["-m", "pytest", "-c"])
        .arg(tests.join("pytest.ini"))
        .arg(&tests)
        .run()?;
    eprintln!("tests: {} s", begun.elapsed().as_secs());
    Ok(())
}

/// Every rule, f32 and f64, in every bit of the core.
fn verified(python: &Path) -> Outcome {
    // As `cargo run --release` builds it: chosen by package it would be built again, with other features.
    Run::cargo().args(["build", "--release", "--bin", "presam"]).run()?;
    let presam = target_dir().join("release").join("presam");
    let command = format!("{} -m presam.verify", quoted(python.as_os_str()));
    Run::program(presam).args(["verify", "--bits", "--exec", &command]).run()
}
