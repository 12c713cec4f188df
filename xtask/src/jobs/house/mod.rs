//! The rules of the house that a compiler does not see.
//!
//! | file | what it does |
//! | --- | --- |
//! | `circles.rs` | no two files of a crate import each other in a circle; `source.rs`, `tree.rs` read them |
//! | `arrows.rs` | a crate stands on those that the design allows |
//! | `device.rs` | the device library has no dependency from outside |
//! | `dispatch.rs` | a rule's name becomes code in one place |
//! | `length.rs` | no file is longer than 400 lines |
//! | `links.rs` | what a page links is there |

mod arrows;
mod circles;
mod device;
mod dispatch;
mod length;
mod links;
mod source;
mod tree;

use crate::command::{Outcome, Run, root};
use crate::workspace;
use std::path::{Path, PathBuf};

/// One breach: the file or folder, and what was expected and found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    place: PathBuf,
    what: String,
}

pub(crate) fn house() -> Outcome {
    let root = root();
    let packages = workspace::all()?;
    let files = sources()?;
    let mut faults = arrows::faults(&packages);
    faults.extend(device::faults(&packages));
    for package in &packages {
        faults.extend(circles::faults(package)?);
    }
    for place in &files {
        let file = root.join(place);
        faults.extend(dispatch::faults(&file, place)?);
        faults.extend(length::faults(&file)?);
    }
    for page in listed("*.md")? {
        faults.extend(links::faults(&root.join(page))?);
    }
    if faults.is_empty() {
        eprintln!("{} packages, {} files: the house stands", packages.len(), files.len());
        return Ok(());
    }
    let line = |fault: &Fault| format!("\n  {}", shown(fault, &root));
    Err(format!("{} faults:{}", faults.len(), faults.iter().map(line).collect::<String>()))
}

fn shown(fault: &Fault, root: &Path) -> String {
    let place = fault.place.strip_prefix(root).unwrap_or(&fault.place);
    format!("{}: {}", place.display(), fault.what)
}

/// Every Rust file, by its path in the repository.
pub(crate) fn sources() -> Result<Vec<String>, String> {
    listed("*.rs")
}

/// The files that git knows or would take.
fn listed(pattern: &str) -> Result<Vec<String>, String> {
    let git = ["ls-files", "--cached", "--others", "--exclude-standard", "--", pattern];
    let list = Run::program("git").args(git).output();
    let list = list.ok_or_else(|| format!("`git ls-files {pattern}` failed"))?;
    let there = list.lines().filter(|file| root().join(file).exists());
    let files: Vec<String> = there.map(str::to_owned).collect();
    if files.is_empty() { Err(format!("git lists no file {pattern}")) } else { Ok(files) }
}

#[cfg(test)]
mod tests;
