//! docs/architecture.svg: the crates, floor above floor, drawn from their manifests.

mod floors;
mod layout;
mod svg;

use crate::command::{Outcome, read, root};
use crate::workspace::{self, Package};
use floors::House;
use std::path::Path;

const FILE: &str = "docs/architecture.svg";

/// Writes the picture, or says that it is stale.
pub(crate) fn picture(check_only: bool) -> Outcome {
    let root = root();
    let (path, new) = (root.join(FILE), drawn(&workspace::all()?, &root)?);
    if path.exists() && read(&path)? == new {
        eprintln!("{FILE}: fresh");
        return Ok(());
    }
    if check_only {
        return Err(format!("{FILE} is stale: `cargo xtask picture` draws it"));
    }
    std::fs::write(&path, new).map_err(|error| format!("{FILE}: {error}"))?;
    eprintln!("{FILE}: written");
    Ok(())
}

fn drawn(packages: &[Package], root: &Path) -> Result<String, String> {
    let folder = |package: &Package| {
        package.dir.strip_prefix(root).unwrap_or(&package.dir).display().to_string()
    };
    let folders: Vec<String> = packages.iter().map(folder).collect();
    Ok(svg::svg(packages, &folders, &House::new(packages)?))
}

#[cfg(test)]
mod tests;
