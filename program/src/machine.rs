//! The machine and the moment, for the record: what the system tells, and careful guesses where it does not.

use std::path::Path;
use std::process::Command;

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

/// Bytes of the last cache where the system does not tell.
const USUAL_CACHE: u64 = 32 << 20;
/// Bytes of memory where the system does not tell.
const USUAL_MEMORY: u64 = 4 << 30;

/// Bytes of the first processor's last cache.
pub fn last_cache_bytes() -> u64 {
    cache_below(Path::new("/sys/devices/system/cpu/cpu0/cache")).unwrap_or(USUAL_CACHE)
}

/// The largest of the caches described below `folder`.
fn cache_below(folder: &Path) -> Option<u64> {
    let sizes = std::fs::read_dir(folder).ok()?.filter_map(|entry| {
        let text = std::fs::read_to_string(entry.ok()?.path().join("size")).ok()?;
        kibibytes(text.trim().strip_suffix('K')?)
    });
    sizes.max()
}

/// Bytes of memory that can be taken without swapping.
pub fn available_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    meminfo(&text).unwrap_or(USUAL_MEMORY)
}

fn meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    kibibytes(line.trim().strip_suffix("kB")?.trim())
}

fn kibibytes(text: &str) -> Option<u64> {
    text.parse::<u64>().ok()?.checked_mul(1024)
}

/// What `rustc` is here: cargo tells a program nothing of the compiler that built it.
pub fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_cache_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(cache_below(folder.path()), None);
        for (index, size) in [("index0", "32K\n"), ("index2", "512K\n"), ("index1", "junk")] {
            std::fs::create_dir(folder.path().join(index)).unwrap();
            std::fs::write(folder.path().join(index).join("size"), size).unwrap();
        }
        assert_eq!(cache_below(folder.path()), Some(512 * 1024));
    }

    #[test]
    fn available_memory_is_read_in_kibibytes() {
        let text = "MemTotal:       24000000 kB\nMemAvailable:   23000000 kB\n";
        assert_eq!(meminfo(text), Some(23_000_000 * 1024));
        assert_eq!(meminfo("MemTotal: 1 kB\n"), None);
    }
}
