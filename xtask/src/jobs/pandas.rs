//! The snippet of docs/results.md, run as it stands.

use crate::command::{Outcome, Run, job_dir, python_with, read, root};

const PAGE: &str = "docs/results.md";

/// Runs the page's Python in a folder that holds the results of a short run.
pub(crate) fn pandas() -> Outcome {
    let page = read(&root().join(PAGE))?;
    let snippet = python(&page).ok_or_else(|| format!("{PAGE}: expected a ```python block"))?;
    let python = python_with("pandas")?;
    let dir = job_dir("pandas")?;
    // In its default folder, since that is the one the page reads.
    let manifest = root().join("Cargo.toml");
    let run = Run::cargo().args(["run", "--release", "--manifest-path"]).arg(manifest);
    run.args(["--", "--epochs", "1", "--seeds", "2"]).dir(&dir).run()?;
    eprintln!("{snippet}");
    let printed = Run::program(python).arg("-c").arg(snippet).dir(&dir).output();
    let printed = printed.ok_or_else(|| format!("the snippet of {PAGE} failed"))?;
    if printed.is_empty() {
        return Err(format!("the snippet of {PAGE} printed nothing"));
    }
    eprintln!("{printed}");
    Ok(())
}

/// The first block of Python on the page.
fn python(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("```python\n")?;
    rest.split_once("```").map(|(block, _)| block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_of_python() {
        assert_eq!(python("a\n```sh\nb\n```\n```python\nc\nd\n```\n"), Some("c\nd\n"));
        assert_eq!(python("```python\nnever closed"), None);
    }
}
