//! The Python package: its two wheels, and its tests with numpy alone and with torch. That of a GPU links the stub driver.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::cuda;
use crate::command::{
    Outcome, Run, emptied, entries, install, job_dir, made, quoted, root, target_dir,
};

const MANIFEST: &str = "python/Cargo.toml";
/// The packages that become wheels.
const PACKAGES: [&str; 2] = [MANIFEST, "python/cuda/Cargo.toml"];
/// What builds and tests, in every environment.
const TOOLS: [&str; 3] = ["maturin>=1.9,<2", "numpy", "pytest"];

pub(crate) fn wheel() -> Outcome {
    let python = environment("python-numpy", &["maturin", "numpy", "pytest"], &TOOLS)?;
    let target = job_dir("python")?.display().to_string();
    cuda::stub::make()?;
    let clippy = Run::cargo().args(["clippy", "--manifest-path", MANIFEST, "--release"]);
    let clippy = clippy.args(["--workspace", "--", "-D", "warnings"]);
    cuda::with_stub(clippy).env("CARGO_TARGET_DIR", &target).run()?;
    let wheels = built(&python, &target, "wheels")?;
    tested(&python, &wheels)
}

/// The tests with torch, and the program's laws over the package.
pub(crate) fn wheel_torch() -> Outcome {
    let python = with_torch()?;
    // Beside `wheel`, which has an environment and a folder of its own.
    let wheels = built(&python, &job_dir("python")?.display().to_string(), "wheels-torch")?;
    tested(&python, &wheels)?;
    verified(&python)
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
    let frameworks = ["torch", "lightning", "accelerate"];
    let modules = [&["maturin", "numpy", "pytest"][..], &frameworks].concat();
    let python = environment("python-torch", &modules, &[&TOOLS[..], &frameworks].concat())?;
    eprintln!("an environment with torch: {} s", begun.elapsed().as_secs());
    Ok(python)
}

/// Builds the wheels into a folder of that name.
fn built(python: &Path, target: &str, folder: &str) -> Result<Vec<PathBuf>, String> {
    cuda::stub::make()?;
    let out = job_dir(folder)?;
    emptied(&out)?;
    // One at a time: maturin moves what it has built within the folder that both jobs build in.
    let lock = Path::new(target).join("maturin.lock");
    let lock = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    let _lock = lock.map_err(|reason| format!("{target}: {reason}"))?;
    for package in PACKAGES {
        let maturin = Run::program(python).args(["-m", "maturin", "build", "--release", "-m"]);
        let maturin = maturin.arg(package).arg("--out").arg(&out);
        cuda::with_stub(maturin).env("CARGO_TARGET_DIR", target).run()?;
    }
    let wheels = entries(&out);
    if wheels.len() == PACKAGES.len() {
        return Ok(wheels);
    }
    Err(format!("{}: expected {} wheels, found {}", out.display(), PACKAGES.len(), wheels.len()))
}

/// Both wheels as a folder to import from, for a machine without pip or network.
pub(super) fn unpacked(to: &Path) -> Outcome {
    let python = environment("python-numpy", &["maturin", "numpy", "pytest"], &TOOLS)?;
    made(to)?;
    for wheel in built(&python, &job_dir("python")?.display().to_string(), "wheels")? {
        Run::program(&python).args(["-m", "zipfile", "-e"]).arg(wheel).arg(to).run()?;
    }
    Ok(())
}

/// Installs the wheels and runs every test that this interpreter can, with the stub for a driver.
fn tested(python: &Path, wheels: &[PathBuf]) -> Outcome {
    let pip = Run::program(python).args(["-m", "pip", "install", "--quiet", "--no-deps"]);
    pip.args(["--force-reinstall", "--no-index"]).args(wheels).run()?;
    let begun = Instant::now();
    let tests = root().join("python/tests");
    let pytest = Run::program(python).args(["-m", "pytest", "-c"]).arg(tests.join("pytest.ini"));
    cuda::without_device(pytest.arg(&tests)).run()?;
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
