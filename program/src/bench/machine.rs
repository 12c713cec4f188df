//! What Linux tells of this machine's memory and compiler; elsewhere careful guesses.

use std::path::Path;
use std::process::Command;

/// Bytes of the last cache where the system does not tell.
const USUAL_CACHE: u64 = 32 << 20;
/// Bytes of memory where the system does not tell.
const USUAL_MEMORY: u64 = 4 << 30;

/// Bytes of the first processor's last cache.
pub(super) fn last_cache_bytes() -> u64 {
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
pub(super) fn available_memory() -> u64 {
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
pub(super) fn rustc() -> Option<String> {
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
