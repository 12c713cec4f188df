//! The files of one crate, by their modules, and what each takes from others: no two of them import each
//! other, and none imports from the crate's first file, which is a roof over the modules below it. Tests stand where
//! Cargo runs them.

use super::source::{Named, Source, source};
use crate::command::{entries, read};
use crate::workspace::{Package, below};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A module's names from the crate's root, whose own list is empty.
type Module = Vec<String>;

/// Every import that leads back to its file, every way through a roof, and every test that is never run.
pub(super) fn faults(package: &Package) -> Result<BTreeSet<String>, String> {
    let mut faults = BTreeSet::new();
    for root in &package.roots() {
        let tree = Tree::read(root, &package.roots())?;
        let short = |at: usize| {
            let path = &tree.files[at].path;
            path.strip_prefix(package.dir()).unwrap_or(path).display().to_string()
        };
        for (at, file) in tree.files.iter().enumerate() {
            if !package.tests(root) && read(&file.path)?.contains("#[cfg(test)]") {
                let place = short(at);
                faults.insert(format!("{place}: expected tests that run, found `test = false`"));
            }
        }
        let mut imports = BTreeMap::new();
        for (from, to, named) in tree.imports() {
            let (place, what) = (format!("{}:{}", short(from), named.line), named.names.join("::"));
            let home = tree.home(&to);
            // What a module's file takes from the modules below it is none: it shows them.
            if !tree.files[home].module.starts_with(&tree.files[from].module) {
                imports.entry((from, home)).or_insert((place.clone(), what.clone()));
            }
            if root.ends_with("src/lib.rs") && to.file == 0 && from != 0 {
                faults.insert(format!(
                    "{place}: expected an import from the module that has the thing, found {what} of lib.rs"
                ));
            }
        }
        let arrows: Vec<(usize, usize)> = imports.keys().copied().collect();
        for ((from, to), (place, what)) in imports {
            if below(to, &arrows).contains(&from) {
                faults.insert(format!(
                    "{place}: expected files that do not import each other, found {what} of {}, which leads back",
                    short(to)
                ));
            }
        }
    }
    Ok(faults)
}

struct File {
    path: PathBuf,
    module: Module,
    source: Source,
}

/// The deepest file that a path leads to, and the next name of the path.
struct At {
    file: usize,
    name: Option<String>,
}

struct Tree {
    files: Vec<File>,
    modules: BTreeMap<Module, usize>,
    macros: BTreeMap<String, usize>,
}

impl Tree {
    /// Reads the root file and every module file below it, tests left out.
    fn read(root: &Path, roots: &[PathBuf]) -> Result<Self, String> {
        let mut found = vec![(root.to_path_buf(), Module::new())];
        walk(root.parent().unwrap_or(root), &[], roots, &mut found);
        let mut files = Vec::new();
        let mut tests = Vec::new();
        for (path, module) in found {
            let source = source(&read(&path)?);
            let source = source.map_err(|why| format!("{}: {why}", path.display()))?;
            let name = |name: &String| [module.as_slice(), std::slice::from_ref(name)].concat();
            tests.extend(source.tests.iter().map(name));
            files.push(File { path, module, source });
        }
        files.retain(|file| !tests.iter().any(|test| file.module.starts_with(test)));
        let numbered = || files.iter().enumerate();
        let modules = numbered().map(|(index, file)| (file.module.clone(), index)).collect();
        let macros = numbered().flat_map(|(index, file)| {
            file.source.macros.iter().map(move |name| (name.clone(), index))
        });
        Ok(Self { modules, macros: macros.collect(), files })
    }

    /// What each file names of another.
    fn imports(&self) -> impl Iterator<Item = (usize, At, &Named)> {
        let of = |(from, file)| -> Vec<(usize, At, &Named)> {
            let File { module, source, .. }: &File = file;
            let to =
                source.paths.iter().filter_map(|named| Some((self.resolve(module, named)?, named)));
            to.filter(|(to, _)| to.file != from).map(|(to, named)| (from, to, named)).collect()
        };
        self.files.iter().enumerate().flat_map(of)
    }

    /// Where a path of a module leads to; none for a path out of the crate.
    fn resolve(&self, module: &[String], named: &Named) -> Option<At> {
        let mut at = [module, &named.inside].concat();
        let mut names = named.names.iter().peekable();
        match names.peek()?.as_str() {
            "crate" => at.clear(),
            "self" | "super" => {}
            first => {
                at.push(first.to_owned());
                self.modules.get(&at)?;
                at.pop();
            }
        }
        names.next_if(|name| ["crate", "self"].contains(&name.as_str()));
        while names.next_if_eq(&"super").is_some() {
            at.pop()?;
        }
        at.extend(names.cloned());
        // A macro that the crate exports has no other name.
        if let Some(&file) =
            at.first().filter(|_| at.len() == 1).and_then(|name| self.macros.get(name))
        {
            return Some(At { file, name: None });
        }
        // A module without a file of its own stands in the file of one above it.
        let deepest = |length| Some((*self.modules.get(at.get(..length)?)?, length));
        let (file, length) = (0..=at.len()).rev().find_map(deepest)?;
        Some(At { file, name: at.get(length).cloned() })
    }

    /// The file that has the thing, where the one at hand only passes it on.
    fn home(&self, at: &At) -> usize {
        let mut at = At { file: at.file, name: at.name.clone() };
        for _ in 0..self.files.len() {
            let File { module, source, .. } = &self.files[at.file];
            let passes = |named: &&Named| {
                named.inside.is_empty() && at.name.is_some() && named.alias == at.name
            };
            match source.paths.iter().find(passes).and_then(|named| self.resolve(module, named)) {
                Some(next) => at = next,
                None => break,
            }
        }
        at.file
    }
}

/// The files of a folder by their modules; those of other programs are left out.
fn walk(folder: &Path, module: &[String], roots: &[PathBuf], found: &mut Vec<(PathBuf, Module)>) {
    for path in entries(folder) {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let inner = [module, std::slice::from_ref(&stem)].concat();
        if path.is_dir() {
            if !path.join("Cargo.toml").exists() && !roots.contains(&path.join("main.rs")) {
                walk(&path, &inner, roots, found);
            }
        } else if path.extension().is_some_and(|end| end == "rs") && !roots.contains(&path) {
            found.push((path, if stem == "mod" { module.to_vec() } else { inner }));
        }
    }
}
