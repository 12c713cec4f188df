//! The digest in the README is that of the default run, on this machine too.

mod common;

use common::{compare, workspace_text};

#[test]
fn the_readme_holds_the_digest_of_the_default_run() {
    let readme = workspace_text("README.md");
    let (_, rest) = readme.split_once("digest: ").expect("README.md has a line `digest: ...`");
    let promised = rest.lines().next().unwrap_or_default().trim();
    assert_eq!(compare("").digest, promised, "README.md promises other bits");
}
