//! Links of pages lead to files that are there.

use super::Fault;
use crate::command::read;
use std::path::Path;

pub(super) fn faults(page: &Path) -> Result<Vec<Fault>, String> {
    let folder = page.parent().unwrap_or(Path::new(""));
    let text = read(page)?;
    let missing = links(&text).filter(|link| !folder.join(link).exists());
    let fault = |link: &str| Fault {
        place: page.to_path_buf(),
        what: format!("expected a file at the link ({link}), found none"),
    };
    Ok(missing.map(fault).collect())
}

/// The targets of `[words](target)` that name a file; places within one and addresses are left out.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.map(|target| target.split('#').next().unwrap_or(target));
    // An item of Rust's documentation is no file.
    let is_file = |target: &&str| {
        !target.is_empty()
            && !target.contains("://")
            && !target.contains("::")
            && target.contains(['.', '/'])
    };
    files.filter(is_file)
}
