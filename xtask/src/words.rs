//! A Rust text as a flat list of words: without comments and white space, brackets as words of their own.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A name, literal, bracket or sign, with its line.
pub(crate) type Word = (String, usize);

/// Signs that are one word.
const PAIRS: [&str; 3] = ["::", "=>", "||"];

pub(crate) fn words(text: &str) -> Result<Vec<Word>, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("not Rust: {error}"))?;
    let mut words = Vec::new();
    flatten(tokens, &mut words);
    Ok(words)
}

fn flatten(tokens: TokenStream, words: &mut Vec<Word>) {
    for token in tokens {
        let line = token.span().start().line;
        if let TokenTree::Group(group) = token {
            let (open, close) = match group.delimiter() {
                Delimiter::Parenthesis => ("(", ")"),
                Delimiter::Brace => ("{", "}"),
                Delimiter::Bracket => ("[", "]"),
                Delimiter::None => ("", ""),
            };
            words.push((open.into(), line));
            flatten(group.stream(), words);
            words.push((close.into(), line));
            continue;
        }
        let text = token.to_string();
        match words.last_mut() {
            Some((last, _)) if PAIRS.contains(&(last.clone() + &text).as_str()) => *last += &text,
            _ => words.push((text, line)),
        }
    }
}

pub(crate) fn is_name(word: &str) -> bool {
    !word.starts_with(|first: char| first.is_ascii_digit())
        && word.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !word.is_empty()
}
