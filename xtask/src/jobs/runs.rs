//! What is run: tests, examples, benchmarks, packages, the program without network.

use crate::command::{Outcome, Run, emptied, job_dir, read, removed, root, target_dir, write};
use crate::workspace;

/// The very command that the README gives.
pub(crate) fn test() -> Outcome {
    Run::cargo().arg("test").run()
}

/// The core's. No package is named: that would build them anew, with the features of that package alone, where
/// `cargo test` has built them already.
pub(crate) fn examples() -> Outcome {
    let packages = workspace::packages(&root())?;
    let core = packages.iter().filter(|package| package.name == "presam");
    let examples: Vec<&str> = core.flat_map(|package| package.targets("example")).collect();
    if examples.is_empty() {
        return Err("presam has no example to run".into());
    }
    let run = |example: &&str| Run::cargo().args(["run", "--quiet", "--example", *example]).run();
    examples.iter().try_for_each(run)
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
    Run::cargo().args(["test", "--package", "presam-program"]).args(&named).run()?;
    Run::cargo().args(["build", "--release", "--bin", "presam"]).run()?;
    let presam = Run::program(target_dir().join("release").join("presam"));
    let flags = ["--filter", "^step/sam/", "--sizes", "1e4", "--min-time", "0.1", "--json", "-q"];
    let record = presam.arg("bench").args(flags).output();
    yardstick(&record.ok_or("presam bench failed")?)
}

/// Within a cache a triad takes about as long as a copy of as many bytes. One whose loop is not compiled for speed takes
/// seven times as long, and every step is far below its floor.
fn yardstick(record: &str) -> Outcome {
    let record: serde_json::Value = serde_json::from_str(record).map_err(|e| e.to_string())?;
    let rows = record["measurements"].as_array().into_iter().flatten();
    let warm: Vec<_> = rows.filter(|row| row["cache"] == "warm").collect();
    let is_fast = |row: &serde_json::Value| {
        let of = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        let copy = of("copy_p50_ns") * of("bytes") / of("copy_bytes");
        of("floor_ns") < 3.0 * copy
    };
    match warm.iter().copied().find(|row| !is_fast(row)) {
        None if !warm.is_empty() => Ok(()),
        row => Err(format!(
            "presam bench: expected a warm row whose triad takes less than three times its copy, found {row:?}"
        )),
    }
}

/// Packages what is published, and checks the packages in a workspace of what they hold and nothing else: a
/// file or a dependency that one of them lacks is an error there. No registry has them yet, so they stand in
/// for what they name.
pub(crate) fn package() -> Outcome {
    let target = job_dir("package")?;
    removed(&target.join("package"))?;
    let target_dir = target.display().to_string();
    let members = workspace::packages(&root())?;
    let (published, kept): (Vec<_>, Vec<_>) =
        members.iter().partition(|package| package.is_published());
    // On a developer's machine the changes at hand are what is to be tried.
    let dirty = std::env::var_os("CI").is_none();
    let of_published = |run: Run| {
        let run = run.args(["--workspace", "--no-verify"]).env("CARGO_TARGET_DIR", &target_dir);
        let run = kept.iter().fold(run, |run, package| run.args(["--exclude", &package.name]));
        if dirty { run.arg("--allow-dirty") } else { run }
    };
    // What a registry would say of names, versions and manifests; nothing is sent.
    of_published(Run::cargo().args(["publish", "--dry-run"])).run()?;
    of_published(Run::cargo().arg("package")).run()?;

    let sources = target.join("sources");
    emptied(&sources)?;
    let mut manifest =
        "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n\n[patch.crates-io]\n".to_owned();
    for package in published {
        let name = format!("{}-{}", package.name, package.version);
        let packed = target.join("package").join(&name).with_added_extension("crate");
        // With the time of now (`m`): Cargo would take an older commit's files for these.
        Run::program("tar").arg("-xmzf").arg(packed).arg("-C").arg(&sources).run()?;
        manifest += &format!("{} = {{ path = \"{name}\" }}\n", package.name);
    }
    write(&sources.join("Cargo.toml"), manifest)?;
    // The versions that everything else is tested with.
    write(&sources.join("Cargo.lock"), read(&root().join("Cargo.lock"))?)?;
    let check = Run::cargo().args(["check", "--workspace", "--config", "profile.dev.debug=false"]);
    check.env("CARGO_TARGET_DIR", &target_dir).dir(&sources).run()
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
    fn a_triad_that_is_slow_or_missing_is_a_fault() {
        let with = |floor: &str| {
            let row = format!(
                r#"{{"cache": "warm", "bytes": 360, "copy_bytes": 180, "copy_p50_ns": 2, "floor_ns": {floor}}}"#
            );
            yardstick(&format!(r#"{{"measurements": [{row}]}}"#))
        };
        assert_eq!(with("11.9"), Ok(()));
        assert!(with("12.0").is_err() && with("null").is_err());
        assert!(yardstick(r#"{"measurements": []}"#).is_err());
    }
}
