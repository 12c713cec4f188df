//! One word for one thing: identifiers that the house does not use (CONTRIBUTING.md has the list).

use crate::command::{Outcome, entries, read, root};
use std::path::{Path, PathBuf};

/// The forbidden identifier and what to write.
const FORBIDDEN: [(&str, &str); 13] = [
    ("eps", "norm_guard, eta or denominator_guard"),
    ("epsilon", "norm_guard, eta or denominator_guard"),
    ("e_w", "perturbation"),
    ("adv", "perturbed"),
    ("adv_grad", "perturbed_grads"),
    ("grad2", "perturbed_grads"),
    ("dw", "grads"),
    ("old_p", "backup"),
    ("precond", "objective_preconditioner or constraint_preconditioner"),
    ("first_step", "ascend"),
    ("second_step", "descend"),
    ("beta1", "mean_decay"),
    ("beta2", "square_decay"),
];

/// Sources of the core, the model and the library and program.
const FOLDERS: [&str; 3] = ["core/src", "model/src", "cuda-host/src"];

/// Two faults, and the same words where they are allowed.
const PLANTED: &str = r##"
    // eps in a comment, /* and "e_w" */
    /* old_p /* nested beta1 */ precond */
    const DOC: (&str, &str, char) = ("eps \" eps", r#"e_w "dw" "#, '"');
    fn ascend<'dw>(steps: &'dw str, first_steps: u32) { let eps = 1e-12; first_step(eps_like); }
"##;

pub(crate) fn names() -> Outcome {
    let caught: Vec<&str> = faults(PLANTED).into_iter().map(|fault| fault.1).collect();
    if caught != ["eps", "first_step"] {
        return Err(format!("planted faults: expected eps and first_step, caught {caught:?}"));
    }
    eprintln!("planted faults: caught");
    let files: Vec<PathBuf> = FOLDERS.iter().flat_map(|dir| sources(&root().join(dir))).collect();
    let mut found = Vec::new();
    for file in &files {
        for (line, name, instead) in faults(&read(file)?) {
            found.push(format!("\n  {}:{line}: `{name}`; write {instead}", file.display()));
        }
    }
    match (files.len(), found.len()) {
        (0, _) => Err(format!("no source under {FOLDERS:?}")),
        (files, 0) => {
            eprintln!("{files} files, no forbidden name");
            Ok(())
        }
        (_, count) => Err(format!("{count} forbidden names:{}", found.concat())),
    }
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let nested = |path: PathBuf| {
        if path.is_dir() { sources(&path) } else { vec![path] }
    };
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    entries(dir).into_iter().flat_map(nested).filter(is_rust).collect()
}

/// Line, forbidden identifier, and what to write instead.
fn faults(source: &str) -> Vec<(usize, &'static str, &'static str)> {
    let mut faults = Vec::new();
    for (line, identifier) in identifiers(source) {
        let known = FORBIDDEN.iter().find(|(name, _)| *name == identifier);
        faults.extend(known.map(|&(name, instead)| (line, name, instead)));
    }
    faults
}

/// The identifiers of a source with their lines: comments, texts and lifetimes left out.
fn identifiers(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let word = word_length(rest);
        let skipped = if word > 0 { raw_text_length(rest) } else { skipped_length(rest) };
        let length = skipped.max(word).max(first.len_utf8());
        let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        if word > 0 && skipped == 0 {
            found.push((line, taken));
        }
        line += taken.matches('\n').count();
        rest = after;
    }
    found
}

fn word_length(text: &str) -> usize {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.find(|c| !part(c)).unwrap_or(text.len())
}

/// The length of a raw text `r".."` or `r#".."#` (`br`, `cr`), 0 where none starts.
fn raw_text_length(text: &str) -> usize {
    let after = text.trim_start_matches(['b', 'c']);
    let Some(after) = after.strip_prefix('r') else { return 0 };
    let inner = after.trim_start_matches('#');
    let fence = "#".repeat(after.len() - inner.len());
    let Some(inner) = inner.strip_prefix('"') else { return 0 };
    let end = inner.find(&format!("\"{fence}")).map_or(inner.len(), |at| at + 1 + fence.len());
    text.len() - inner.len() + end
}

/// The length of a comment, a text, a character or a lifetime, 0 where none starts.
fn skipped_length(text: &str) -> usize {
    if text.starts_with("//") {
        text.find('\n').unwrap_or(text.len())
    } else if text.starts_with("/*") {
        comment_length(text)
    } else if let Some(inner) = text.strip_prefix('"') {
        1 + quoted_length(inner, '"')
    } else if let Some(inner) = text.strip_prefix('\'') {
        let word = word_length(inner);
        let closes = inner.get(word..).is_some_and(|after| after.starts_with('\''));
        if word > 0 && !closes { 1 + word } else { 1 + quoted_length(inner, '\'') }
    } else {
        0
    }
}

/// Comments nest.
fn comment_length(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let step = if rest.starts_with("/*") {
            depth += 1;
            2
        } else if rest.starts_with("*/") {
            depth -= 1;
            2
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// Up to and with the closing quote that no backslash escapes.
fn quoted_length(inner: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    inner.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_planted_faults_are_found_and_nothing_else() {
        assert_eq!(
            faults(PLANTED).iter().map(|&(line, name, _)| (line, name)).collect::<Vec<_>>(),
            [(5, "eps"), (5, "first_step")]
        );
    }

    #[test]
    fn lines_and_words() {
        let source = "let a = b'x';\nlet b_1: &'s str = \"a\\\"b\"; // c\n/* d\n*/ r#fn(é)";
        let found: Vec<_> = identifiers(source).into_iter().filter(|(_, w)| *w != "let").collect();
        let expected = [(1, "a"), (1, "b"), (2, "b_1"), (2, "str"), (4, "r"), (4, "fn"), (4, "é")];
        assert_eq!(found, expected);
    }
}
