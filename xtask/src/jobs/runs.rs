//! What is run: tests, examples, benchmarks, packages, the program without network.

use crate::command::{Outcome, Run, entries, job_dir, removed, root};
use crate::workspace;
use std::path::{Path, PathBuf};

/// The very command that the README gives.
pub(crate) fn test() -> Outcome {
    Run::cargo().arg("test").run()
}

/// Those of core and model. No package is named: that would build them anew, with the features of that
/// package alone, where `cargo test` has built them already.
pub(crate) fn examples() -> Outcome {
    let packages = workspace::packages(&root())?;
    for name in ["presam", "presam-model"] {
        let package = packages.iter().filter(|package| package.name == name);
        let examples: Vec<&str> = package.flat_map(|package| package.targets("example")).collect();
        if examples.is_empty() {
            return Err(format!("{name} has no example to run"));
        }
        for example in examples {
            Run::cargo().args(["run", "--quiet", "--example", example]).run()?;
        }
    }
    Ok(())
}

/// As tests, which criterion runs once each. Their package is left out of `cargo test`; named beside the
/// program, it asks for the features that the core was built with there, and the core is not built anew.
pub(crate) fn bench_smoke() -> Outcome {
    let packages = workspace::packages(&root())?;
    let benches = |package: &workspace::Package| -> Vec<String> {
        package.targets("bench").flat_map(|name| ["--bench", name].map(String::from)).collect()
    };
    let benched = packages.iter().filter(|package| !benches(package).is_empty());
    let named: Vec<String> = benched
        .flat_map(|package| {
            [vec!["--package".into(), package.name.clone()], benches(package)].concat()
        })
        .collect();
    if named.is_empty() {
        return Err("no package has a benchmark".into());
    }
    Run::cargo().args(["test", "--package", "presam-program"]).args(&named).run()
}

/// Packages what is published, and builds each package from what it holds. Cargo resolves siblings that
/// no registry has yet from the packages themselves; all are built in one folder, what they share once.
pub(crate) fn package() -> Outcome {
    let target = job_dir("package")?;
    forget_packages(&target)?;
    let members = workspace::packages(&root())?;
    let kept = members.iter().filter(|package| !package.is_published());
    let package = Run::cargo().args(["package", "--workspace"]);
    let package = kept.fold(package, |run, package| run.args(["--exclude", &package.name]));
    // On a developer's machine the changes at hand are what is to be tried.
    let dirty = std::env::var_os("CI").is_none();
    let package = if dirty { package.arg("--allow-dirty") } else { package };
    let package = package.env("CARGO_TARGET_DIR", &target.display().to_string());
    package.env("CARGO_PROFILE_DEV_DEBUG", "0").run()
}

/// Removes what earlier runs packaged, unpacked and built. Cargo takes it for what is packaged now as
/// long as no version changed, and would build the new packages upon the old ones.
fn forget_packages(target: &Path) -> Outcome {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let unpacked = home.map_or_else(Vec::new, |home| unpacked_packages(&home.join("registry/src")));
    for dir in unpacked.into_iter().chain([target.join("package"), target.join("debug")]) {
        removed(&dir)?;
    }
    Ok(())
}

/// This workspace's packages, unpacked from a registry in a folder: Cargo names its own by a hash alone.
fn unpacked_packages(sources: &Path) -> Vec<PathBuf> {
    let starts = |path: &Path, with: &[&str]| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        with.iter().any(|start| name.starts_with(start))
    };
    let registries = entries(sources).into_iter().filter(|path| starts(path, &["-"]));
    let packages = registries.flat_map(|registry| entries(&registry));
    packages.filter(|path| starts(path, &["presam-", "ptx-machine-"])).collect()
}

/// The program needs no network, nor do its tests; Cargo needs it only to fetch.
pub(crate) fn no_network() -> Outcome {
    Run::cargo().arg("fetch").run()?;
    let out = job_dir("no-network")?.join("out");
    let cut = Run::program("unshare").args(["--map-root-user", "--net", "true"]).succeeds();
    let cargo = || {
        let run = if cut {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            Run::program("unshare").args(["--map-root-user", "--net"]).arg(cargo)
        } else {
            Run::cargo()
        };
        run.env("CARGO_NET_OFFLINE", "true")
    };
    if !cut {
        eprintln!("no network namespace to be had: only Cargo is kept from the network");
    }
    let short = ["--epochs", "1", "--seeds", "2", "--out"];
    cargo().args(["run", "--release", "--"]).args(short).arg(out).run()?;
    // Named, not chosen by package: that would build all of it anew, with the features of that package alone.
    cargo().arg("test").args(OFFLINE.iter().flat_map(|test| ["--test", test])).run()
}

/// The tests that start the program or read its data; the others compute in memory.
const OFFLINE: [&str; 4] = ["command_line", "data_files", "default_run", "outputs"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_of_ours_from_a_folder_are_forgotten() {
        let dir = job_dir("test-unpacked").unwrap();
        for path in ["-1f/presam-0.1.0", "-1f/other-1.0.0", "index.crates.io-2e/presam-0.1.0"] {
            std::fs::create_dir_all(dir.join(path)).unwrap();
        }
        assert_eq!(unpacked_packages(&dir), [dir.join("-1f/presam-0.1.0")]);
        assert!(unpacked_packages(&dir.join("absent")).is_empty());
    }
}
