//! What a file's text tells alone: a second dispatch, its length, links to nothing.
//!
//! A rule's name becomes code in one place, `core/src/any.rs`. Two things tell that a file does it again:
//! it calls the list of rules or base optimizers (a macro, so that nothing else reaches the types of all of
//! them), or it decides by the names of several rules.

use crate::words::words;
use std::collections::BTreeSet;
use std::path::Path;

const LISTS: [&str; 2] = ["for_each_variant", "for_each_base"];

/// Who may call the lists, and what for.
const ALLOWED: [(&str, &str); 6] = [
    ("core/src/", "the list itself, and the one dispatch"),
    ("kernels/src/", "one kernel a rule"),
    ("tests/", "tests of the typed phases against the dispatch"),
    ("core/tests/", "tests of the typed phases against the dispatch"),
    ("xtask/src/jobs/", "names alone: the READMEs' tables, the entries of the probe"),
    ("xtask/bare-probe/", "one bare function a rule"),
];

/// Rules that a file may treat apart by their names, as `momentum-sam`, which has no first gradient.
const MOST_NAMES: usize = 3;
const MOST_LINES: usize = 400;
/// A longer file says why in a comment that starts with these words.
const REASON: &str = "// Longer than 400 lines because ";

/// The faults of a Rust file at a place of the repository.
pub(super) fn faults(place: &str, text: &str) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > MOST_LINES && !text.lines().any(|line| line.trim_start().starts_with(REASON)) {
        faults.push(format!(
            "expected at most {MOST_LINES} lines or `{REASON}..`, found {lines} lines"
        ));
    }
    let quick = LISTS.iter().any(|list| text.contains(list)) || text.contains("=>");
    if !quick || ALLOWED.iter().any(|(allowed, _)| place.starts_with(allowed)) {
        return Ok(faults);
    }
    let words = words(text).map_err(|why| format!("{place}: {why}"))?;
    let mut names = BTreeSet::new();
    for ((word, line), (next, _)) in words.iter().zip(words.iter().skip(1)) {
        if LISTS.contains(&word.as_str()) && next == "!" {
            faults
                .push(format!("line {line}: expected core's `any`, found another use of {word}!"));
        }
        // As patterns: `"sam" =>`, `"sam" |`.
        if ["=>", "|"].contains(&next.as_str()) {
            let known = presam::variants::ALL.iter().map(|info| info.name);
            names.extend(known.filter(|name| *word == format!("\"{name}\"")));
        }
    }
    if names.len() > MOST_NAMES {
        faults.push(format!(
            "expected core's `any`, found a decision by {} names of rules ({})",
            names.len(),
            Vec::from_iter(names).join(", ")
        ));
    }
    Ok(faults)
}

/// The links `[words](target)` of a page of a folder that lead to no file; places within one, addresses
/// and items of Rust's documentation are left out.
pub(super) fn dead_links(folder: &Path, page: &str) -> Vec<String> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.map(|target| target.split('#').next().unwrap_or(target));
    let is_file =
        |target: &&str| !target.is_empty() && !target.contains("::") && target.contains(['.', '/']);
    let files = files.filter(is_file).filter(|target| !target.contains("://"));
    let missing = files.filter(|target| !folder.join(target).exists());
    missing.map(|link| format!("expected a file at the link ({link}), found none")).collect()
}
