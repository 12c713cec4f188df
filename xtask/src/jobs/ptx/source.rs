//! What the PTX texts are made from, as one hash: recipe, versions, and the Rust sources token by token.
//!
//! `kernels/tests/ptx_fresh.rs` includes this file: a test without a GPU compiler tells a stale text.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use sha2::{Digest, Sha256};

/// One text for every GPU since Volta. Without both flags the text is silently for sm_30.
pub(crate) const RUSTFLAGS: &str = "-Ctarget-cpu=sm_70 -Ctarget-feature=+ptx70";
/// Bodies are inlined to the last function, and loops unrolled as far as their source asks for.
pub(crate) const LLVM_ARGS: &str = "-inline-threshold=100000 -unroll-full-max-count=4";

/// The folders of the sources, and what in them a GPU never sees.
const FOLDERS: [&str; 3] = ["kernels/src", "core/src", "model/src"];
const HOST_ONLY: [&str; 8] = [
    "kernels/src/emulator",
    "kernels/src/entries",
    "kernels/src/kernel.rs",
    "kernels/src/ptx.rs",
    "core/src/any.rs",
    "core/src/erased",
    "core/src/fixed.rs",
    "core/src/session",
];
const MANIFESTS: [&str; 3] = ["kernels/Cargo.toml", "core/Cargo.toml", "model/Cargo.toml"];
/// What the texts hold of other people's crates.
const CRATES: [&str; 2] = ["libm", "num-traits"];

/// The hash, as it stands in the head of a text.
pub(crate) fn hash(root: &Path) -> Result<String, String> {
    let mut parts = vec![format!("{RUSTFLAGS}\n{LLVM_ARGS}\n")];
    for manifest in MANIFESTS {
        parts.push(dependencies(&read(&root.join(manifest))?));
    }
    let (manifest, lock) = (read(&root.join("Cargo.toml"))?, read(&root.join("Cargo.lock"))?);
    for name in CRATES {
        parts.push(requirement(&manifest, name));
        parts.push(locked(&lock, name)?);
    }
    for file in sources(root)? {
        let path = root.join(&file);
        let spelt = tokens(&read(&path)?).map_err(|error| format!("{file}: {error}"))?;
        parts.push(format!("{file}\n{spelt}"));
    }
    Ok(sha256(&parts))
}

/// Each part with its length before it, so that no two lists run together to the same bytes.
pub(crate) fn sha256(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Every source by its path from the root, in alphabetical order.
fn sources(root: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        let named = |error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(named)? {
            let path = entry.map_err(named)?.path();
            let inner = path.strip_prefix(root).unwrap_or(&path);
            if HOST_ONLY.iter().any(|host| inner == Path::new(host)) {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(inner.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The tokens of a source, one a line: comments, documentation and white space leave no trace.
fn tokens(source: &str) -> Result<String, String> {
    let stream = TokenStream::from_str(source).map_err(|error| error.to_string())?;
    let mut text = String::new();
    spell(stream, &mut text);
    Ok(text)
}

fn spell(stream: TokenStream, text: &mut String) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut rest = trees.as_slice();
    while let Some((first, after)) = rest.split_first() {
        rest = match after {
            [doc, after @ ..] if is(first, '#') && is_doc(doc) => after,
            [bang, doc, after @ ..] if is(first, '#') && is(bang, '!') && is_doc(doc) => after,
            _ => {
                spell_one(first, text);
                after
            }
        };
    }
}

fn spell_one(tree: &TokenTree, text: &mut String) {
    match tree {
        TokenTree::Group(group) => {
            let (open, close) = match group.delimiter() {
                Delimiter::Parenthesis => ("(\n", ")\n"),
                Delimiter::Brace => ("{\n", "}\n"),
                Delimiter::Bracket => ("[\n", "]\n"),
                Delimiter::None => ("", ""),
            };
            text.push_str(open);
            spell(group.stream(), text);
            text.push_str(close);
        }
        // `a && b` is not `a & &b`.
        TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint => {
            text.push(punct.as_char());
        }
        token => {
            text.push_str(&token.to_string());
            text.push('\n');
        }
    }
}

fn is(tree: &TokenTree, character: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// `[doc = ...]`, which is what a documentation comment is to the compiler.
fn is_doc(tree: &TokenTree) -> bool {
    let TokenTree::Group(group) = tree else { return false };
    let mut inner = group.stream().into_iter();
    let word = matches!(inner.next(), Some(TokenTree::Ident(ident)) if ident == "doc");
    word && inner.next().is_some_and(|tree| is(&tree, '='))
}

/// The lines of `[dependencies]`, those of optional ones left out: the texts are built without features.
fn dependencies(manifest: &str) -> String {
    let section = manifest.split_once("[dependencies]\n").map_or("", |(_, section)| section);
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.contains("optional = true")).filter_map(plain).collect()
}

/// What the workspace asks of a crate.
fn requirement(manifest: &str, name: &str) -> String {
    let of_name = |line: &&str| line.split_once(" = ").is_some_and(|(key, _)| key == name);
    manifest.lines().filter(of_name).filter_map(plain).collect()
}

/// The version and checksum of a crate that the lock file holds.
fn locked(lock: &str, name: &str) -> Result<String, String> {
    let head = format!("name = \"{name}\"");
    let packages = lock.split("[[package]]\n").filter(|text| text.lines().next() == Some(&head));
    let fields = packages.flat_map(str::lines);
    let kept: String = fields
        .filter(|line| line.starts_with("version") || line.starts_with("checksum"))
        .filter_map(plain)
        .collect();
    if kept.is_empty() { Err(format!("Cargo.lock: expected a package {name}")) } else { Ok(kept) }
}

/// A line of TOML without white space, or nothing where it says nothing.
fn plain(line: &str) -> Option<String> {
    let line: String = line.split_whitespace().collect();
    (!line.is_empty() && !line.starts_with('#')).then(|| line + "\n")
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "/// Doc.\n#[inline] fn f<'a>(x: &'a str) -> char { g(x, \"a // b\", 'c') }\n";

    #[test]
    fn comments_and_white_space_leave_no_trace() {
        let same = "//! Other.\n#![doc = \"x\"]\n#[inline]\nfn f<'a>(x: &'a str)\n-> char {\n// no\n\
                    g(x, /* a /* nested */ one */ \"a // b\", 'c')\n}\n";
        assert_eq!(tokens(SOURCE).unwrap(), tokens(same).unwrap());
        assert!(tokens(SOURCE).unwrap().contains("inline"));
    }

    #[test]
    fn every_other_change_shows() {
        let plain = tokens(SOURCE).unwrap();
        for (from, to) in [
            ("a // b", "a //  b"),
            ("'c'", "'d'"),
            ("#[inline] ", ""),
            ("(x, ", "(y, "),
            ("fn f", "fn h"),
            ("&'a str", "&str"),
        ] {
            assert_ne!(plain, tokens(&SOURCE.replace(from, to)).unwrap(), "{from} to {to}");
        }
        assert_ne!(tokens("a && b").unwrap(), tokens("a & &b").unwrap());
        assert_ne!(tokens("a - b").unwrap(), tokens("a + b").unwrap());
    }

    #[test]
    fn versions_and_dependencies_show_and_optional_ones_do_not() {
        let manifest = "[features]\na = []\n[dependencies]\n# why\nlibm = \"1\"\n\
                        rayon = { version = \"1\", optional = true }\n[lints]\nb = 1\n";
        assert_eq!(dependencies(manifest), "libm=\"1\"\n");
        assert_eq!(requirement("libm = \"=2\"\nlibmx = \"3\"\n", "libm"), "libm=\"=2\"\n");
        let lock = "[[package]]\nname = \"libm\"\nversion = \"0.2\"\nsource = \"x\"\n\n\
                    [[package]]\nname = \"libmx\"\nversion = \"9\"\n";
        assert_eq!(locked(lock, "libm").unwrap(), "version=\"0.2\"\n");
        assert!(locked(lock, "half").unwrap_err().contains("half"));
    }

    #[test]
    fn parts_do_not_run_together() {
        let parts = |list: [&str; 2]| sha256(&list.map(str::to_owned));
        assert_ne!(parts(["ab", "c"]), parts(["a", "bc"]));
        // python3: hashlib.sha256(bytes(8)).hexdigest()
        let empty = "sha256:af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc";
        assert_eq!(sha256(&[String::new()]), empty);
    }
}
