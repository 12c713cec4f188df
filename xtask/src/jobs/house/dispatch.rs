//! A rule's name becomes code in one place, `core/src/any.rs`.
//!
//! Two things tell that a file does it again: it calls the list of rules or base optimizers (a macro, so
//! that nothing else reaches the types of all of them), or it decides by the names of several rules.

use super::Fault;
use crate::command::read;
use proc_macro2::{TokenStream, TokenTree};
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

/// The faults of one file; `place` is its path in the repository.
pub(super) fn faults(file: &Path, place: &str) -> Result<Vec<Fault>, String> {
    let text = read(file)?;
    let quick = LISTS.iter().any(|list| text.contains(list)) || text.contains("=>");
    if !quick || ALLOWED.iter().any(|(allowed, _)| place.starts_with(allowed)) {
        return Ok(Vec::new());
    }
    let tokens: TokenStream = text.parse().map_err(|error| format!("{place}: {error}"))?;
    let mut seen = Seen::default();
    seen.read(tokens);
    let mut faults = Vec::new();
    for (line, list) in seen.calls {
        faults.push(format!("line {line}: expected core's `any`, found another use of {list}!"));
    }
    if seen.names.len() > MOST_NAMES {
        faults.push(format!(
            "expected core's `any`, found a decision by {} names of rules ({})",
            seen.names.len(),
            Vec::from_iter(seen.names).join(", ")
        ));
    }
    Ok(faults.into_iter().map(|what| Fault { place: file.to_path_buf(), what }).collect())
}

#[derive(Default)]
struct Seen {
    /// Calls of a list, with their lines.
    calls: Vec<(usize, String)>,
    /// Names of rules as patterns: `"sam" =>`, `"sam" |`.
    names: BTreeSet<&'static str>,
}

impl Seen {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for (index, token) in tokens.iter().enumerate() {
            let next = |offset: usize| match tokens.get(index + offset) {
                Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
                _ => None,
            };
            match token {
                TokenTree::Group(group) => self.read(group.stream()),
                TokenTree::Ident(ident) if next(1) == Some('!') => {
                    let list = LISTS.iter().find(|list| ident == *list);
                    let line = ident.span().start().line;
                    self.calls.extend(list.map(|&list| (line, list.to_owned())));
                }
                TokenTree::Literal(literal) => {
                    let arm = next(1) == Some('=') && next(2) == Some('>');
                    if arm || next(1) == Some('|') && next(2) != Some('|') {
                        self.names.extend(rule(&literal.to_string()));
                    }
                }
                _ => {}
            }
        }
    }
}

/// The rule whose name is a text.
fn rule(literal: &str) -> Option<&'static str> {
    let name = literal.strip_prefix('"')?.strip_suffix('"')?;
    presam::variants::ALL.iter().map(|info| info.name).find(|known| *known == name)
}
