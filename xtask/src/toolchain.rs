//! A compiler for bare targets: the one that is installed, in the order of preference.

use crate::command::{Run, entries, job_dir, read};
use std::path::Path;

/// Where a bare target's `core` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// `rustup target add`: precompiled, beside the compiler in use.
    Installed,
    /// `rustup component add rust-src` for a nightly, which builds `core` itself.
    Nightly,
    /// Debian's packages, whose compiler is told to build `core` itself.
    Debian,
}

const SOURCES: &str = "lib/rustlib/src/rust/library/core/Cargo.toml";
/// Older compilers cannot build this workspace (`rust-version`).
const OLDEST_MINOR: u32 = 95;

impl Bare {
    /// The compiler to use for `target`, or the commands that install one.
    pub(crate) fn find(target: &str) -> Result<Self, String> {
        let installed = Run::program("rustc").args(["--print", "sysroot"]).output();
        if has(installed, &format!("lib/rustlib/{target}/lib")) {
            return Ok(Self::Installed);
        }
        Self::with_sources().ok_or_else(|| {
            format!(
                "no compiler for {target}: `rustup target add {target}` (or, on Debian, \
                 `apt-get install -y rustc-web cargo-web rust-web-src`)"
            )
        })
    }

    /// The compiler that builds `core` itself, with unstable features to be had.
    pub(crate) fn with_sources() -> Option<Self> {
        let nightly =
            Run::program("rustup").args(["run", "nightly", "rustc", "--print", "sysroot"]).output();
        if has(nightly, SOURCES) {
            Some(Self::Nightly)
        } else if has(Some("/usr".into()), SOURCES) && debian_is_new_enough() {
            Some(Self::Debian)
        } else {
            None
        }
    }

    /// `rustc 1.96.0 (ac68faa20 2026-05-25), LLVM 22.1.8`.
    pub(crate) fn version(self) -> Option<String> {
        let rustc = match self {
            Self::Installed => Run::program("rustc"),
            Self::Nightly => Run::program("rustup").args(["run", "nightly", "rustc"]),
            Self::Debian => Run::program("/usr/bin/rustc"),
        };
        let lines = rustc.arg("-vV").output()?;
        let llvm = lines.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
        let short = lines.lines().next()?.split_inclusive(')').next()?;
        Some(format!("{short}, LLVM {llvm}"))
    }

    /// `cargo SUBCOMMAND --target TARGET`, with what this compiler needs beside.
    pub(crate) fn cargo(self, subcommand: &str, target: &str) -> Run {
        let run = match self {
            Self::Installed => Run::cargo().arg(subcommand),
            Self::Nightly => Run::program("rustup").args(["run", "nightly", "cargo", subcommand]),
            Self::Debian => Run::program("/usr/bin/cargo")
                .arg(subcommand)
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .env(&linker_variable(target), &linker()),
        };
        let run = if self == Self::Installed {
            run
        } else {
            // The parent's choice of compiler must not reach the other one.
            run.without_env("RUSTUP_TOOLCHAIN").args(["-Z", "build-std=core"])
        };
        run.args(["--target", target])
    }

    /// The assembly that `cargo rustc --release` makes of a library, by what is given before and after
    /// `--`. `name` names the file, one per compiler: Cargo does not write it where nothing changed.
    pub(crate) fn assembly(
        self,
        (job, name, target): (&str, &str, &str),
        before: impl FnOnce(Run) -> Run,
        after: &[&str],
    ) -> Result<String, String> {
        let dir = job_dir(job)?;
        let file = dir.join(format!("{self:?}-{name}.s"));
        let run = before(self.cargo("rustc", target).arg("--release"));
        let run = run.env("CARGO_TARGET_DIR", &dir.to_string_lossy()).arg("--");
        run.arg(format!("--emit=asm={}", file.display())).args(after).run()?;
        read(&file)
    }
}

fn has(sysroot: Option<String>, what: &str) -> bool {
    sysroot.is_some_and(|sysroot| Path::new(&sysroot).join(what).exists())
}

/// Cargo's variable for the linker of `target`.
fn linker_variable(target: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", target.replace('-', "_").to_uppercase())
}

/// Debian's compiler comes without the linker it asks for: the one beside rustup's, else Debian's own.
fn linker() -> String {
    let sysroot = Run::program("rustc").args(["--print", "sysroot"]).output().unwrap_or_default();
    let hosts = entries(&Path::new(&sysroot).join("lib/rustlib")).into_iter();
    let mut beside = hosts.map(|host| host.join("bin/rust-lld")).filter(|linker| linker.exists());
    beside.next().map_or("ld.lld-22".into(), |linker| linker.display().to_string())
}

fn debian_is_new_enough() -> bool {
    let version = Run::program("/usr/bin/rustc").arg("--version").output();
    version.as_deref().and_then(minor).is_some_and(|minor| minor >= OLDEST_MINOR)
}

/// 96 of `rustc 1.96.0 (...)`.
fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("rustc 1.")?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(minor("rustc 1.96.0 (ac68faa20 2026-05-25)"), Some(96));
        assert_eq!(minor("rustc 1.63.0"), Some(63));
        assert_eq!(minor("error"), None);
    }

    #[test]
    fn a_linker_has_a_variable_per_target() {
        assert_eq!(linker_variable("thumbv6m-none-eabi"), "CARGO_TARGET_THUMBV6M_NONE_EABI_LINKER");
    }

    #[test]
    fn an_unknown_target_names_the_cure() {
        // Neither Debian's nor a nightly's sources hold targets: only ask where they are absent.
        match Bare::find("no-such-target") {
            Ok(found) => assert_ne!(found, Bare::Installed),
            Err(reason) => assert!(reason.contains("apt-get install -y rustc-web"), "{reason}"),
        }
    }
}
