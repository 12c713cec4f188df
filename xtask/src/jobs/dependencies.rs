//! What others need to know before they depend on this: licences and origins of what it brings along, and whether
//! its interface has changed since the last release.

use crate::command::{Outcome, Run, read, root};
use crate::workspace;

/// cargo-deny by deny.toml, for the library with its program and for the Python package. Advisories need a database from
/// outside.
pub(crate) fn deny() -> Outcome {
    installed("deny")?;
    let checked = |what: &[&str]| -> Outcome {
        ["Cargo.toml", "python/Cargo.toml"].into_iter().try_for_each(|manifest| {
            let run = Run::cargo().args(["deny", "--manifest-path", manifest, "--all-features"]);
            let run = run.args(["--config", "deny.toml", "check"]);
            // An exception may be the other one's.
            run.args(["--allow", "license-exception-not-encountered"]).args(what).run()
        })
    };
    checked(&["licenses", "bans", "sources"])?;
    if Run::cargo().args(["deny", "fetch", "db"]).succeeds() {
        return checked(&["advisories"]);
    }
    eprintln!("advisories: not checked, since their database cannot be fetched from here");
    Ok(())
}

/// cargo-semver-checks against the commit of the last release, for every published library.
pub(crate) fn semver() -> Outcome {
    let Some((version, commit)) = last_release(&read(&root().join("CHANGELOG.md"))?)? else {
        eprintln!("CHANGELOG.md names no release yet: there is nothing to compare with");
        return Ok(());
    };
    installed("semver-checks")?;
    eprintln!("against {version}, commit {commit}");
    let packages = workspace::packages(&root())?;
    let libraries =
        packages.iter().filter(|one| one.is_published() && one.targets("lib").count() > 0);
    // Without a driver presam-cuda is read as docs.rs does.
    let run = Run::cargo().env("DOCS_RS", "1");
    let run = run.args(["semver-checks", "--baseline-rev", &commit]);
    libraries.fold(run, |run, library| run.args(["--package", &library.name])).run()
}

fn installed(tool: &str) -> Outcome {
    if Run::cargo().args([tool, "--version"]).succeeds() {
        return Ok(());
    }
    Err(format!("cargo-{tool} is missing: `cargo install cargo-{tool} --locked`"))
}

/// Version and commit of the first dated heading, `## [0.1.0] - 2026-12-24, commit 0123abc`.
fn last_release(changelog: &str) -> Result<Option<(String, String)>, String> {
    let mut headings = changelog.lines().filter_map(|line| line.strip_prefix("## ["));
    let Some(heading) = headings.find(|heading| !heading.starts_with("Unreleased]")) else {
        return Ok(None);
    };
    let version = heading.split(']').next().unwrap_or(heading);
    let commit = heading.split_once(", commit ").map(|(_, commit)| commit.trim());
    let named =
        commit.filter(|commit| commit.len() >= 7 && commit.chars().all(|c| c.is_ascii_hexdigit()));
    let named = named.ok_or_else(|| {
        format!(
            "CHANGELOG.md: expected `## [{version}] - DATE, commit HASH`, found `## [{heading}`"
        )
    })?;
    Ok(Some((version.into(), named.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_a_heading_with_its_commit() {
        let with =
            |heading: &str| last_release(&format!("# Log\n## [Unreleased]\n- a\n{heading}\n"));
        assert_eq!(with("### Added"), Ok(None));
        let expected = ("0.1.0".to_owned(), "0123abc".to_owned());
        assert_eq!(with("## [0.1.0] - 2026-12-24, commit 0123abc"), Ok(Some(expected)));
        assert!(with("## [0.1.0] - 2026-12-24").is_err_and(|why| why.contains("[0.1.0]")));
    }
}
