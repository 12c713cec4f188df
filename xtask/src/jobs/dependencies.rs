//! What others need to know before they depend on this: licences and origins of what it brings along, and whether
//! its interface has changed since the last release.

use crate::command::{Outcome, Run, read, root};
use crate::workspace;

/// cargo-deny by deny.toml. Advisories need a database from outside.
pub(crate) fn deny() -> Outcome {
    installed("deny")?;
    Run::cargo().args(["deny", "--all-features", "check", "licenses", "bans", "sources"]).run()?;
    if Run::cargo().args(["deny", "fetch", "db"]).succeeds() {
        return Run::cargo().args(["deny", "--all-features", "check", "advisories"]).run();
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
    let run = Run::cargo().args(["semver-checks", "--baseline-rev", &commit]);
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
