//! The rules of the house that a compiler does not see.
//!
//! | file | what it does |
//! | --- | --- |
//! | `crates.rs` | a crate stands on those that the design allows; the device library on no other |
//! | `tree.rs` | no two files of a crate import each other, none its roof; `source.rs` reads one |
//! | `texts.rs` | a rule's name becomes code in one place; no file over 400 lines; no dead link |

mod crates;
mod source;
mod texts;
mod tree;

use crate::command::{Outcome, Run, read, root};
use crate::workspace;
use std::path::Path;

pub(crate) fn house() -> Outcome {
    let root = root();
    let packages = workspace::all()?;
    let files = sources()?;
    let mut faults = Vec::new();
    let mut told = |place: &Path, what: Vec<String>| {
        let place = place.strip_prefix(&root).unwrap_or(place).display().to_string();
        faults.extend(what.iter().map(|what| format!("\n  {place}: {what}")));
    };
    for package in &packages {
        told(package.dir(), crates::faults(package));
        told(package.dir(), tree::faults(package)?.into_iter().collect());
    }
    for place in &files {
        told(Path::new(place), texts::faults(place, &read(&root.join(place))?)?);
    }
    for page in listed("*.md")? {
        let file = root.join(&page);
        told(&file, texts::dead_links(file.parent().unwrap_or(&root), &read(&file)?));
    }
    if faults.is_empty() {
        eprintln!("{} packages, {} files: the house stands", packages.len(), files.len());
        return Ok(());
    }
    Err(format!("{} faults:{}", faults.len(), faults.concat()))
}

/// Every Rust file, by its path in the repository.
pub(crate) fn sources() -> Result<Vec<String>, String> {
    listed("*.rs")
}

/// The files that git knows or would take.
pub(crate) fn listed(pattern: &str) -> Result<Vec<String>, String> {
    let git = ["ls-files", "--cached", "--others", "--exclude-standard", "--", pattern];
    let list = Run::program("git").args(git).output();
    let list = list.ok_or_else(|| format!("`git ls-files {pattern}` failed"))?;
    let there = list.lines().filter(|file| root().join(file).exists());
    let files: Vec<String> = there.map(str::to_owned).collect();
    if files.is_empty() { Err(format!("git lists no file {pattern}")) } else { Ok(files) }
}

#[cfg(test)]
mod tests;
