//! One Rust file, read by its tokens: its modules, its macros, the paths it names.
//!
//! Code under `cfg(test)` is left out: the compiler builds it as another program, which may look at the
//! whole house. So is a path behind `$crate`, which is followed where the macro is used.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use std::iter::Peekable;

/// What a file says of its place among the others.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// `mod NAME;` with the modules around it in this file, and the file that `#[path]` gives.
    pub(crate) modules: Vec<(Vec<String>, Option<String>)>,
    /// Whether a macro declares modules, whose names are not known here.
    pub(crate) whole_folder: bool,
    /// Every path of two names or more, and every `use`.
    pub(crate) paths: Vec<Named>,
    /// Macros with `#[macro_export]`, which are named through the crate's root.
    pub(crate) macros: Vec<String>,
}

/// A path as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    /// Names of the modules around it in this file.
    pub(crate) inside: Vec<String>,
    /// Its own names; an alias and a star are left out.
    pub(crate) names: Vec<String>,
    /// What a `use` makes it known as.
    pub(crate) alias: Option<String>,
}

/// Reads the text of a file.
pub(crate) fn source(text: &str) -> Result<Source, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("not Rust: {error}"))?;
    let mut source = Source::default();
    source.read(tokens, &[]);
    Ok(source)
}

type Tokens = Peekable<proc_macro2::token_stream::IntoIter>;

impl Source {
    fn read(&mut self, tokens: TokenStream, inside: &[String]) {
        let mut tokens: Tokens = tokens.into_iter().peekable();
        let mut attributes = Attributes::default();
        while let Some(token) = tokens.next() {
            if is(&token, '#') {
                if let Some(TokenTree::Group(group)) =
                    tokens.next_if(|next| matches!(next, TokenTree::Group(_)))
                {
                    attributes.add(&group);
                }
            } else if attributes.test {
                skip_item(&token, &mut tokens);
                attributes = Attributes::default();
            } else if !self.item(&token, &mut tokens, inside, &attributes) {
                attributes = Attributes::default();
            }
        }
    }

    /// Reads what begins with a token. True where attributes before it still belong to what follows.
    fn item(
        &mut self,
        token: &TokenTree,
        tokens: &mut Tokens,
        inside: &[String],
        attributes: &Attributes,
    ) -> bool {
        match token {
            TokenTree::Punct(_) if is(token, '$') => skip_path(tokens),
            TokenTree::Ident(word) if word == "mod" => self.module(tokens, inside, attributes),
            TokenTree::Ident(word) if word == "use" => self.imports(tokens, inside, &[]),
            TokenTree::Ident(word) if word == "macro_rules" => {
                tokens.next();
                let name = tokens.next().filter(|_| attributes.exported);
                self.macros.extend(name.map(|name| name.to_string()));
            }
            // `pub` and `pub(crate)` stand between an attribute and its item.
            TokenTree::Ident(word) if word == "pub" => return true,
            TokenTree::Ident(word) => self.path(word, tokens, inside),
            TokenTree::Group(group) => {
                self.read(group.stream(), inside);
                return group.delimiter() == Delimiter::Parenthesis;
            }
            _ => {}
        }
        false
    }

    /// The rest of a path after its first name.
    fn path(&mut self, first: &Ident, tokens: &mut Tokens, inside: &[String]) {
        let mut names = vec![first.to_string()];
        while colons(tokens) {
            match tokens.next_if(|next| matches!(next, TokenTree::Ident(_))) {
                Some(name) => names.push(name.to_string()),
                None => break,
            }
        }
        if names.len() > 1 {
            let (line, inside) = (first.span().start().line, inside.to_vec());
            self.paths.push(Named { line, inside, names, alias: None });
        }
    }

    /// `mod NAME;` or `mod NAME { .. }`, after the word `mod`.
    fn module(&mut self, tokens: &mut Tokens, inside: &[String], attributes: &Attributes) {
        // In a macro the name may be `$module`: then any file of the folder may be meant.
        let by_macro = tokens.next_if(|next| is(next, '$')).is_some();
        let Some(TokenTree::Ident(name)) = tokens.next() else { return };
        let mut within = inside.to_vec();
        within.push(name.to_string());
        match tokens.next() {
            Some(TokenTree::Group(group)) => self.read(group.stream(), &within),
            _ if by_macro => self.whole_folder = true,
            _ => self.modules.push((within, attributes.path.clone())),
        }
    }

    /// The tree after `use`, up to its `;` or `,`.
    fn imports(&mut self, tokens: &mut Tokens, inside: &[String], before: &[String]) {
        let mut names = before.to_vec();
        let (mut line, mut alias) = (0, None);
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Ident(ident) if ident == "as" => {
                    alias = tokens.next().map(|name| name.to_string());
                }
                TokenTree::Ident(ident) => {
                    line = ident.span().start().line;
                    names.push(ident.to_string());
                    alias = Some(ident.to_string());
                }
                TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ',') => break,
                TokenTree::Group(group) => {
                    let mut parts: Tokens = group.stream().into_iter().peekable();
                    while parts.peek().is_some() {
                        self.imports(&mut parts, inside, &names);
                    }
                    line = 0;
                }
                // A star imports from the module itself.
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    line = punct.span().start().line;
                    alias = None;
                }
                _ => {}
            }
        }
        if line > 0 {
            // `a::{self}` is `a`.
            if names.len() > 1 && names.last().is_some_and(|last| last == "self") {
                names.pop();
                alias = names.last().cloned();
            }
            self.paths.push(Named { line, inside: inside.to_vec(), names, alias });
        }
    }
}

/// What matters of the attributes before an item.
#[derive(Default)]
struct Attributes {
    test: bool,
    exported: bool,
    path: Option<String>,
}

impl Attributes {
    fn add(&mut self, group: &Group) {
        let text = group.stream().to_string();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let has = |word| words.contains(&word);
        self.test |= has("cfg") && has("test") && !has("not") && !has("any");
        self.exported |= words.first() == Some(&"macro_export");
        if words.first() == Some(&"path") {
            self.path = text.split('"').nth(1).map(str::to_owned);
        }
    }
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// `::`, taken where it comes next.
fn colons(tokens: &mut Tokens) -> bool {
    let colon = |token: &TokenTree| is(token, ':');
    let joint = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.spacing() == proc_macro2::Spacing::Joint);
    tokens.next_if(|next| colon(next) && joint(next)).is_some() && tokens.next_if(colon).is_some()
}

/// The names behind a `$`.
fn skip_path(tokens: &mut Tokens) {
    if tokens.next_if(|next| matches!(next, TokenTree::Ident(_))).is_some() {
        while colons(tokens) && tokens.next_if(|next| matches!(next, TokenTree::Ident(_))).is_some()
        {
        }
    }
}

/// The rest of an item whose first token is at hand: up to its braces or its `;`.
fn skip_item(first: &TokenTree, tokens: &mut Tokens) {
    let ends = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    if !ends(first) {
        tokens.by_ref().find(ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let named = source(text).unwrap().paths;
        named.iter().map(|path| format!("{}:{}", path.line, path.names.join("::"))).collect()
    }

    #[test]
    fn every_form_of_use_is_read() {
        let text =
            "use crate::a;\npub(crate) use crate::b::{self, c::D as E,\n f::*};\nuse super::g;";
        let expected =
            ["1:crate::a", "2:crate::b", "2:crate::b::c::D", "3:crate::b::f", "4:super::g"];
        assert_eq!(paths(text), expected);
    }

    #[test]
    fn paths_in_code_are_read_and_texts_and_macros_own_are_not() {
        let text = "fn f() { crate::a::b(); x(\"crate::c::d\"); } // crate::e::f\n\
                    macro_rules! m { () => { $crate::g::h::<i::j>() } }\nconst K: u8 = l::M;";
        assert_eq!(paths(text), ["1:crate::a::b", "2:i::j", "3:l::M"]);
    }

    #[test]
    fn code_of_tests_is_left_out() {
        let text = "#[cfg(test)]\nmod tests { use crate::a::B; }\n#[cfg(test)] mod more;\n\
                    #[cfg(test)]\n#[allow(x)]\npub(crate) use crate::c::D;\nuse crate::e::F;\n\
                    #[cfg(not(test))] use crate::g::H;";
        assert_eq!(paths(text), ["7:crate::e::F", "8:crate::g::H"]);
        assert!(source(text).unwrap().modules.is_empty());
    }

    #[test]
    fn modules_and_macros_are_listed() {
        let text = "mod a;\n#[path = \"x/y.rs\"]\npub(crate) mod b;\nmod c { mod d; use super::E; }\n\
                    #[macro_export]\nmacro_rules! f { () => {} }\nmacro_rules! g { () => {} }";
        let source = source(text).unwrap();
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let expected: [(Vec<String>, Option<String>); 3] = [
            (names(&["a"]), None),
            (names(&["b"]), Some("x/y.rs".into())),
            (names(&["c", "d"]), None),
        ];
        assert_eq!(source.modules, expected);
        assert_eq!(source.macros, ["f"]);
        assert!(!source.whole_folder);
        assert_eq!(source.paths[0].inside, ["c"]);
    }
}
