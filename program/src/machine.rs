//! The machine and the moment, for the record.

use serde::{Deserialize, Serialize};

/// The machine that computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Processor name, as the system tells it; the architecture where it does not.
    pub cpu: String,
    /// The loops chosen for it by [`presam::Cpu::detect`]: they change the speed, never a bit.
    pub cpu_level: String,
    /// Threads the runs were spread over.
    pub threads: usize,
}

impl Host {
    /// This machine, computing with `threads` threads.
    pub fn detect(threads: usize) -> Self {
        let arch = std::env::consts::ARCH.to_owned();
        Self {
            os: std::env::consts::OS.to_owned(),
            cpu: cpu_name().unwrap_or_else(|| arch.clone()),
            cpu_level: presam::Cpu::detect().level().to_owned(),
            arch,
            threads,
        }
    }
}

/// Linux tells; elsewhere nobody does without a library.
fn cpu_name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Logical processors, at least 1.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The present moment in UTC, as `2026-11-24T13:18:44Z`.
pub fn now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}
