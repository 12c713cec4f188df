//! Whether the committed texts are what the sources ask for.
//!
//! `kernels/tests/ptx_fresh.rs` includes this file, and needs no compiler for it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use presam_kernels::{entries, ptx::TEXTS};

use super::source;

/// The command that makes fresh texts.
pub(crate) const CURE: &str = "cargo xtask ptx";

/// Every text is there, made from the sources as they stand, with the kernels that the list gives it.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let source = source::hash(root)?;
    let mut faults: Vec<String> = strays(root).iter().map(|path| stray(path)).collect();
    faults.extend(homeless());
    for name in TEXTS {
        let found = match fs::read_to_string(path(root, name)) {
            Ok(text) => text_faults(name, &text, &source),
            Err(error) => vec![error.to_string()],
        };
        faults.extend(found.iter().map(|fault| format!("kernels/ptx/{name}.ptx: {fault}")));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let list: String = faults.iter().map(|fault| format!("  {fault}\n")).collect();
    Err(format!("the kernels' texts are stale:\n{list}cure: {CURE}"))
}

pub(crate) fn path(root: &Path, name: &str) -> PathBuf {
    root.join("kernels/ptx").join(format!("{name}.ptx"))
}

/// Kernels whose text nobody makes.
pub(crate) fn homeless() -> impl Iterator<Item = String> {
    let kernels = entries::all().filter(|kernel| !TEXTS.contains(&kernel.text));
    kernels.map(|kernel| format!("{}: no text is {}", kernel.name, kernel.text))
}

/// Files among the texts that are none.
pub(crate) fn strays(root: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(root.join("kernels/ptx")).into_iter().flatten().flatten();
    let known: BTreeSet<PathBuf> = TEXTS.iter().map(|name| path(root, name)).collect();
    files.map(|file| file.path()).filter(|file| !known.contains(file)).collect()
}

fn stray(path: &Path) -> String {
    format!("{}: belongs to no text", path.display())
}

/// What is wrong with one text.
pub(crate) fn text_faults(name: &str, text: &str, source: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |what: &str, expected: &str, found: Option<&str>| {
        if found != Some(expected) {
            let found = found.unwrap_or("none");
            faults.push(format!("{what}: expected {expected}, found {found}"));
        }
    };
    expect("source", source, field(text, "source"));
    expect("text", &source::sha256(&[body(text)]), field(text, "text"));
    expect(".version", "7.0", directive(text, ".version"));
    expect(".target", "sm_70", directive(text, ".target"));
    let listed = entries::all().filter(|kernel| kernel.text == name).map(|kernel| kernel.name);
    let listed: BTreeSet<&str> = listed.collect();
    let held: Vec<&str> = entry_names(text).collect();
    let distinct: BTreeSet<&str> = held.iter().copied().collect();
    faults.extend(listed.difference(&distinct).map(|kernel| format!("lacks the entry {kernel}")));
    faults.extend(distinct.difference(&listed).map(|kernel| format!("no kernel is {kernel}")));
    if held.len() != distinct.len() {
        faults.push("an entry twice".to_owned());
    }
    faults
}

/// A field of the head: `// NAME: VALUE`.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("// {name}: ");
    text.lines().find_map(|line| line.strip_prefix(&start))
}

/// The text without its head, which alone has comments.
pub(crate) fn body(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn directive<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn entry_names(text: &str) -> impl Iterator<Item = &str> {
    let heads = text.lines().filter_map(|line| line.strip_prefix(".visible .entry "));
    heads.map(|head| head.split('(').next().unwrap_or(head).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text as the generator writes it, with the entries that the list has for `mix`.
    fn sample() -> String {
        let kernels = entries::all().filter(|kernel| kernel.text == "mix");
        let entries = kernels.map(|kernel| format!(".visible .entry {}()\n", kernel.name));
        let body = [".version 7.0\n.target sm_70\n".to_owned()].into_iter().chain(entries);
        let body: String = body.collect();
        let hash = source::sha256(std::slice::from_ref(&body));
        format!("// source: sha256:00\n// text: {hash}\n{body}")
    }

    fn faults(text: &str) -> Vec<String> {
        text_faults("mix", text, "sha256:00")
    }

    #[test]
    fn a_fresh_text_has_no_faults() {
        assert_eq!(faults(&sample()), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_caught() {
        for (from, to, fault) in [
            (
                "source: sha256:00",
                "source: sha256:01",
                "source: expected sha256:00, found sha256:01",
            ),
            ("// source: sha256:00\n", "", "source: expected sha256:00, found none"),
            ("sm_70", "sm_30", ".target: expected sm_70, found sm_30"),
            ("7.0", "3.2", ".version: expected 7.0, found 3.2"),
            (".visible .entry mix_gsam()\n", "", "lacks the entry mix_gsam"),
            ("mix_gsam()", "mix_other()", "no kernel is mix_other"),
            ("mix_gsam()", "mix_wsam()", "an entry twice"),
            ("mix_gsam()", "mix_gsam( )", "text: expected sha256:"),
        ] {
            let text = sample();
            let changed = text.replace(from, to);
            assert_ne!(text, changed, "{from}");
            let found = faults(&changed);
            assert!(found.iter().any(|found| found.starts_with(fault)), "{fault}: {found:?}");
        }
    }

    #[test]
    fn sources_that_cannot_be_read_are_told() {
        let error = check(Path::new("/nonexistent")).unwrap_err();
        assert!(error.contains("/nonexistent/kernels/Cargo.toml"), "{error}");
    }
}
