//! One Rust file: the paths it names, the macros it exports.
//!
//! Code under `cfg(test)` is left out: the compiler builds it as another program, which may look at the
//! whole house. So is a path behind `$crate`, which is followed where the macro is used.

use crate::words::{is_name, words};

/// What a file says of its place among the others.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Every path of two names or more, and every `use`.
    pub(super) paths: Vec<Named>,
    /// Macros with `#[macro_export]`, which are named through the crate's root.
    pub(super) macros: Vec<String>,
    /// Modules of tests alone, whose files are others.
    pub(super) tests: Vec<String>,
}

/// A path as it stands in a file.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) line: usize,
    /// Names of the modules around it in this file.
    pub(super) inside: Vec<String>,
    /// Its own names; an alias and a star are left out.
    pub(super) names: Vec<String>,
    /// What a `use` makes it known as.
    pub(super) alias: Option<String>,
}

/// As in `crate::words`, borrowed, so that literals match it.
type Word<'a> = (&'a str, usize);

/// Reads the text of a file.
pub(super) fn source(text: &str) -> Result<Source, String> {
    let words = words(text)?;
    let words: Vec<Word<'_>> = words.iter().map(|(word, line)| (word.as_str(), *line)).collect();
    let mut source = Source::default();
    let words = source.without_tests(&words);
    source.scan(&words);
    Ok(source)
}

impl Source {
    fn without_tests<'a>(&mut self, mut rest: &[Word<'a>]) -> Vec<Word<'a>> {
        let mut kept = Vec::new();
        while let [first, after @ ..] = rest {
            rest = after;
            if let [("[", _), ..] = after
                && first.0 == "#"
            {
                let (attribute, item) = after.split_at(span(after, &["]"]));
                let has = |word| attribute.iter().any(|(other, _)| *other == word);
                if has("cfg") && has("test") && !has("not") && !has("any") {
                    let (item, after) = item.split_at(span(item, &[";", "}"]));
                    if let [.., ("mod", _), (name, _), (";", _)] = item {
                        self.tests.push((*name).into());
                    }
                    rest = after;
                    continue;
                }
            }
            kept.push(*first);
        }
        kept
    }

    fn scan<'a>(&mut self, mut rest: &'a [Word<'a>]) {
        // A brace that is no module's has no name.
        let (mut inside, mut exported) = (Vec::new(), false);
        while let [(first, line), after @ ..] = rest {
            match *first {
                "{" => inside.push(""),
                "}" => drop(inside.pop()),
                "macro_export" => exported = true,
                _ => {}
            }
            rest = match (*first, after) {
                ("mod", [(name, _), ("{", _), after @ ..]) => {
                    inside.push(*name);
                    after
                }
                ("macro_rules", [_, (name, _), after @ ..]) => {
                    self.macros.extend(std::mem::take(&mut exported).then(|| (*name).into()));
                    after
                }
                ("$", [(name, _), after @ ..]) => path(name, after).1,
                ("use", [("<" | "$", _), ..]) => after,
                ("use", _) => self.branch(after, &[], &inside),
                (name, _) if is_name(name) => {
                    let (names, after) = path(name, after);
                    if names.len() > 1 {
                        self.name(*line, &inside, names, None);
                    }
                    after
                }
                _ => after,
            };
        }
    }

    fn name(&mut self, line: usize, inside: &[&str], names: Vec<String>, alias: Option<String>) {
        let inside = inside.iter().filter(|name| !name.is_empty()).map(|&name| name.into());
        self.paths.push(Named { line, inside: inside.collect(), names, alias });
    }

    /// One branch of a `use` after the names before it; what comes after it.
    fn branch<'a>(
        &mut self,
        mut rest: &'a [Word<'a>],
        before: &[String],
        inside: &[&str],
    ) -> &'a [Word<'a>] {
        let (mut names, mut line, mut alias) = (before.to_vec(), None, None);
        loop {
            rest = match rest {
                [("{", _), inner @ ..] => {
                    rest = inner;
                    while let [(word, _), after @ ..] = rest {
                        match *word {
                            "}" | ";" => return after,
                            "," => rest = after,
                            _ => rest = self.branch(rest, &names, inside),
                        }
                    }
                    return rest;
                }
                [] | [(";" | "," | "}", _), ..] => break,
                [("as", _), (name, _), after @ ..] => {
                    alias = Some((*name).to_owned());
                    after
                }
                // A star imports from the module itself.
                [(word, at), after @ ..] if *word == "*" || is_name(word) => {
                    names.extend((*word != "*").then(|| (*word).to_owned()));
                    alias = (*word != "*").then(|| (*word).to_owned());
                    line = Some(*at);
                    after
                }
                [_, after @ ..] => after,
            };
        }
        // `a::{self}` is `a`.
        if names.len() > 1 && names.last().is_some_and(|last| last == "self") {
            names.pop();
            alias = names.last().cloned();
        }
        if let Some(line) = line {
            self.name(line, inside, names, alias);
        }
        rest
    }
}

/// How many words there are up to one of `ends` outside of brackets, with it.
fn span(words: &[Word<'_>], ends: &[&str]) -> usize {
    let mut depth = 0;
    for (index, (word, _)) in words.iter().enumerate() {
        match *word {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return index;
        }
        if depth == 0 && ends.contains(word) {
            return index + 1;
        }
    }
    words.len()
}

/// The names of a path from its first one on, and what comes after it.
fn path<'a>(first: &str, mut rest: &'a [Word<'a>]) -> (Vec<String>, &'a [Word<'a>]) {
    let mut names = vec![first.to_owned()];
    while let [("::", _), (name, _), after @ ..] = rest
        && is_name(name)
    {
        names.push((*name).to_owned());
        rest = after;
    }
    (names, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_read_and_texts_tests_and_macros_own_are_not() {
        for (text, expected) in [
            (
                "use crate::a;\npub(crate) use crate::b::{self, c::D as E,\n f::*};\nuse super::g;",
                "1:crate::a 2:crate::b 2:crate::b::c::D 3:crate::b::f 4:super::g",
            ),
            (
                "fn f() { crate::a::b(); x(\"crate::c::d\"); } // crate::e::f\n\
                 macro_rules! m { () => { $crate::g::h::<i::j>() } }\nconst K: u8 = l::M;",
                "1:crate::a::b 2:i::j 3:l::M",
            ),
            (
                "#[cfg(test)]\nmod tests { use crate::a::B; }\n#[cfg(test)] mod more;\n\
                 #[cfg(test)]\n#[allow(x)]\npub(crate) use crate::c::D;\nuse crate::e::F;\n\
                 #[cfg(not(test))] use crate::g::H;",
                "7:crate::e::F 8:crate::g::H",
            ),
        ] {
            let paths = source(text).unwrap().paths;
            let paths = paths.iter().map(|path| format!("{}:{}", path.line, path.names.join("::")));
            assert_eq!(Vec::from_iter(paths).join(" "), expected);
        }
    }

    #[test]
    fn modules_and_macros_are_told() {
        let text = "mod c { mod d; fn f() {} use super::E; }\n#[cfg(test)]\nmod t;\n\
                    #[macro_export]\nmacro_rules! f { () => {} }\nmacro_rules! g { () => {} }";
        let source = source(text).unwrap();
        assert_eq!((source.macros, source.tests), (vec!["f".to_owned()], vec!["t".to_owned()]));
        assert_eq!(source.paths[0].inside, ["c"]);
    }
}
