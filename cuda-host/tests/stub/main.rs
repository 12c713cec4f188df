//! The GPU's host code against the stub's fake device (`cargo xtask cuda-smoke`): no kernel computes
//! anything there, but each call of the driver can be seen, and made to fail.
//!
//! The stub reads its orders from the environment and keeps its state for the process, so each test
//! runs in a process of its own.

#![cfg(feature = "cuda")]

mod device;
mod graph;
mod launch;
mod lent;
mod memory;

use std::process::Command;

use presam_cuda::cuda::Cuda;

/// Runs `body` of the test `name` in a process of its own with these variables; gives the calls of the
/// driver, a line each, and `None` in that process.
fn alone(name: &str, variables: &[(&str, &str)], body: fn()) -> Option<Vec<String>> {
    if std::env::var_os("PRESAM_STUB_CHILD").is_some() {
        body();
        return None;
    }
    let file = format!("presam-stub-{}-{}.log", std::process::id(), name.replace("::", "-"));
    let log = std::env::temp_dir().join(file);
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", name, "--nocapture", "--test-threads", "1"]);
    child
        .env("PRESAM_STUB_CHILD", "1")
        .env("PRESAM_STUB_CUDA", "fake")
        .env("PRESAM_STUB_LOG", &log);
    child.env_remove("PRESAM_STUB_FAIL").envs(variables.iter().copied());
    let output = child.output().expect("this program starts");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
    let calls = std::fs::read_to_string(&log).unwrap_or_default();
    let _ = std::fs::remove_file(&log);
    Some(calls.lines().map(str::to_owned).collect())
}

fn count(calls: &[String], call: &str) -> usize {
    calls.iter().filter(|line| *line == call).count()
}

fn open() -> Cuda {
    Cuda::open(0).expect("the stub's device")
}
