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

/// An entry that no text has, and the one that is called in its place.
pub(crate) type Twin = (String, String);

/// Every text is there, made from the sources as they stand, with the kernels that the list gives it.
pub(crate) fn check(root: &Path) -> Result<(), String> {
    let source = source::hash(root)?;
    let twins = twins(root)?;
    let mut faults: Vec<String> = strays(root).iter().map(|path| stray(path)).collect();
    faults.extend(homeless());
    for name in TEXTS {
        let found = match fs::read_to_string(path(root, name)) {
            Ok(text) => text_faults(name, &text, &source, &twins),
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

pub(crate) fn twins_path(root: &Path) -> PathBuf {
    root.join("kernels/src/entries/twins.rs")
}

/// The committed list of twins.
pub(crate) fn twins(root: &Path) -> Result<Vec<Twin>, String> {
    let path = twins_path(root);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let row = |line: &str| {
        let row = line.trim().strip_prefix("(\"")?.strip_suffix("\"),")?;
        let (twin, first) = row.split_once("\", \"")?;
        Some((twin.to_owned(), first.to_owned()))
    };
    Ok(text.lines().filter_map(row).collect())
}

/// The twins of a text as its head tells them, a line for each entry that has any.
pub(crate) fn twin_lines(name: &str, twins: &[Twin]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (kernel, _) in entries::compiled().filter(|(_, text)| *text == name) {
        let of: Vec<&str> =
            twins.iter().filter(|(_, first)| first == kernel).map(|(twin, _)| &**twin).collect();
        if !of.is_empty() {
            lines.push(format!("{kernel} = {}", of.join(" = ")));
        }
    }
    lines
}

/// The entries that a text must have: what the list gives it, without twins.
fn listed(name: &str, twins: &[Twin]) -> BTreeSet<&'static str> {
    let kernels = entries::all().map(|kernel| (kernel.name, kernel.text));
    let kernels = kernels.chain(entries::compiled()).filter(|(_, text)| *text == name);
    let is_twin = |kernel: &str| twins.iter().any(|(twin, _)| twin == kernel);
    kernels.map(|(kernel, _)| kernel).filter(|kernel| !is_twin(kernel)).collect()
}

/// Kernels whose text nobody makes.
pub(crate) fn homeless() -> impl Iterator<Item = String> {
    let kernels = entries::all().map(|kernel| (kernel.name, kernel.text));
    let kernels = kernels.filter(|(_, text)| !TEXTS.contains(text));
    kernels.map(|(kernel, text)| format!("{kernel}: no text is {text}"))
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
pub(crate) fn text_faults(name: &str, text: &str, source: &str, twins: &[Twin]) -> Vec<String> {
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
    let (told, expected) = (fields(text, "twins").collect::<Vec<_>>(), twin_lines(name, twins));
    if told != expected {
        faults.push(format!("twins: expected {expected:?}, found {told:?}"));
    }
    let listed = listed(name, twins);
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
    fields(text, name).next()
}

/// A field that may stand there any number of times.
fn fields<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let start = format!("// {name}: ");
    text.lines().filter_map(move |line| line.strip_prefix(&start))
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

    /// The twins of `finish`, however few there are.
    fn planted_twins() -> Vec<Twin> {
        vec![("finish_asam".to_owned(), "finish_sam".to_owned())]
    }

    /// A text as the generator writes it, with the entries that the list has for it.
    fn sample(name: &str) -> String {
        let twins = planted_twins();
        let entries = listed(name, &twins).into_iter();
        let entries = entries.map(|kernel| format!(".visible .entry {kernel}()\n"));
        let body = [".version 7.0\n.target sm_70\n".to_owned()].into_iter().chain(entries);
        let body: String = body.collect();
        let hash = source::sha256(std::slice::from_ref(&body));
        let lines = twin_lines(name, &twins);
        let lines: String = lines.iter().map(|line| format!("// twins: {line}\n")).collect();
        format!("{lines}// source: sha256:00\n// text: {hash}\n{body}")
    }

    fn faults(name: &str, text: &str) -> Vec<String> {
        text_faults(name, text, "sha256:00", &planted_twins())
    }

    #[test]
    fn a_fresh_text_has_no_faults() {
        for name in TEXTS {
            assert_eq!(faults(name, &sample(name)), Vec::<String>::new());
        }
    }

    #[test]
    fn each_fault_is_caught() {
        for (name, from, to, fault) in [
            (
                "mix",
                "source: sha256:00",
                "source: sha256:01",
                "source: expected sha256:00, found sha256:01",
            ),
            ("mix", "// source: sha256:00\n", "", "source: expected sha256:00, found none"),
            ("mix", "sm_70", "sm_30", ".target: expected sm_70, found sm_30"),
            ("mix", "7.0", "3.2", ".version: expected 7.0, found 3.2"),
            ("mix", ".visible .entry mix_gsam()\n", "", "lacks the entry mix_gsam"),
            ("mix", "mix_gsam()", "mix_other()", "no kernel is mix_other"),
            ("mix", "mix_gsam()", "mix_wsam()", "an entry twice"),
            ("mix", "mix_gsam()", "mix_gsam( )", "text: expected sha256:"),
            ("finish", "// twins: finish_sam = finish_asam\n", "", "twins: expected"),
            ("finish", "= finish_asam", "= finish_vasso", "twins: expected"),
            ("finish", ".entry finish_vasso()", ".entry finish_asam()", "no kernel is finish_asam"),
        ] {
            let text = sample(name);
            let changed = text.replace(from, to);
            assert_ne!(text, changed, "{from}");
            let found = faults(name, &changed);
            assert!(found.iter().any(|found| found.starts_with(fault)), "{fault}: {found:?}");
        }
    }

    #[test]
    fn sources_that_cannot_be_read_are_told() {
        let error = check(Path::new("/nonexistent")).unwrap_err();
        assert!(error.contains("/nonexistent/kernels/Cargo.toml"), "{error}");
    }
}
