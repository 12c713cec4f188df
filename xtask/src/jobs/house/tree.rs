//! The files of one crate, by their modules, and which imports which.

use super::source::{Named, Source, source};
use crate::command::{entries, read};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A module's names from the crate's root, whose own list is empty.
type Module = Vec<String>;

/// One crate from its first file on.
#[derive(Debug, Default)]
pub(super) struct Tree {
    files: Vec<File>,
    modules: BTreeMap<Module, usize>,
    macros: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    module: Module,
    source: Source,
}

/// One file names something of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
    pub(super) line: usize,
    /// The path as it is written there.
    pub(super) what: String,
}

impl Tree {
    /// Reads the root file and every module file below it.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        let mut tree = Self::default();
        tree.add(root, Module::new(), true)?;
        Ok(tree)
    }

    fn add(&mut self, path: &Path, module: Module, is_root: bool) -> Result<(), String> {
        let source = source(&read(path)?).map_err(|why| format!("{}: {why}", path.display()))?;
        let index = self.files.len();
        self.modules.insert(module.clone(), index);
        self.macros.extend(source.macros.iter().map(|name| (name.clone(), index)));
        let mut children = source.modules.clone();
        if source.whole_folder {
            let others = beside(path).filter(|name| children.iter().all(|(own, _)| own != name));
            children.extend(others.map(|name| (name, None)).collect::<Vec<_>>());
        }
        self.files.push(File { path: path.to_path_buf(), module: module.clone(), source });
        for (names, given) in children {
            let child = child(path, is_root, &names, given.as_deref());
            self.add(&child, [module.clone(), names].concat(), false)?;
        }
        Ok(())
    }

    /// Every import of one file from another, the first where it does so often.
    ///
    /// What a module's file takes from the modules below it is none: it declares them and shows them.
    pub(super) fn imports(&self) -> Vec<Import> {
        let own = |import: &Import| !self.is_above(&import.from, &import.to);
        self.every_import(|at| self.home(at)).into_iter().filter(own).collect()
    }

    /// What is taken from the root file, be it there or only shown there. A macro that the crate exports
    /// has no other name.
    pub(super) fn through_the_roof(&self) -> Vec<Import> {
        let imports = self.every_import(|at| at.file);
        let roof = self.files.first().map(|file| &file.path);
        imports.into_iter().filter(|import| Some(&import.to) == roof).collect()
    }

    fn every_import(&self, target: impl Fn(At) -> usize) -> Vec<Import> {
        let mut found = BTreeMap::new();
        for (from, file) in self.files.iter().enumerate() {
            for named in &file.source.paths {
                let to = self.resolve(&file.module, named).map(&target).filter(|&to| to != from);
                if let Some(to) = to {
                    found.entry((from, to)).or_insert(named);
                }
            }
        }
        let import = |((from, to), named): ((usize, usize), &Named)| {
            let path = |index: usize| Some(self.files.get(index)?.path.clone());
            let (from, to) = (path(from)?, path(to)?);
            Some(Import { from, to, line: named.line, what: named.names.join("::") })
        };
        found.into_iter().filter_map(import).collect()
    }

    fn is_above(&self, upper: &Path, lower: &Path) -> bool {
        let module =
            |path| self.files.iter().find(|file| file.path == path).map(|file| &file.module);
        module(upper).zip(module(lower)).is_some_and(|(upper, lower)| lower.starts_with(upper))
    }

    /// Where a path of a module leads to; none for a path out of the crate.
    fn resolve(&self, module: &[String], named: &Named) -> Option<At> {
        let here = [module, &named.inside].concat();
        let mut names = named.names.iter().map(String::as_str).peekable();
        let mut at = match names.next()? {
            "crate" => Module::new(),
            "self" => here,
            "super" => up(here)?,
            first => {
                let child = [here, vec![first.to_owned()]].concat();
                if !self.modules.contains_key(&child) {
                    return None;
                }
                child
            }
        };
        while names.next_if_eq(&"super").is_some() {
            at = up(at)?;
        }
        if let (true, Some(&file)) = (at.is_empty(), self.macros.get(*names.peek().unwrap_or(&"")))
        {
            return Some(At { file, name: None });
        }
        let mut name = None;
        for next in names {
            let deeper = [at.clone(), vec![next.to_owned()]].concat();
            if !self.modules.contains_key(&deeper) {
                name = Some(next.to_owned());
                break;
            }
            at = deeper;
        }
        // A module without a file of its own stands in the file of one above it.
        loop {
            match self.modules.get(&at) {
                Some(&file) => return Some(At { file, name }),
                None => at = up(at)?,
            }
        }
    }

    /// The file that has the thing, where the one at hand only passes it on.
    fn home(&self, mut at: At) -> usize {
        for _ in 0..self.files.len() {
            let Some((file, name)) = self.files.get(at.file).zip(at.name.as_ref()) else { break };
            let mut uses = file.source.paths.iter().filter(|named| named.inside.is_empty());
            let passed = uses.find(|named| named.alias.as_ref() == Some(name));
            match passed.and_then(|named| self.resolve(&file.module, named)) {
                Some(next) => at = next,
                None => break,
            }
        }
        at.file
    }
}

/// The deepest file that a path leads to, and the next name of the path.
struct At {
    file: usize,
    name: Option<String>,
}

fn up(mut module: Module) -> Option<Module> {
    module.pop().map(|_| module)
}

/// The modules that the other files of a file's folder can be.
fn beside(path: &Path) -> impl Iterator<Item = Module> {
    let files = entries(path.parent().unwrap_or(Path::new(""))).into_iter();
    let rust =
        files.filter(move |file| file.extension().is_some_and(|end| end == "rs") && file != path);
    rust.filter_map(|file| Some(vec![file.file_stem()?.to_str()?.to_owned()]))
}

/// The file of `mod NAME;` that stands in `parent`, in the modules before its name.
fn child(parent: &Path, is_root: bool, names: &[String], given: Option<&str>) -> PathBuf {
    let folder = parent.parent().unwrap_or(Path::new(""));
    if let Some(given) = given {
        return folder.join(given);
    }
    let stem = parent.file_stem().unwrap_or_default();
    let folder = if is_root || stem == "mod" { folder.to_path_buf() } else { folder.join(stem) };
    let path: PathBuf = [folder].into_iter().chain(names.iter().map(PathBuf::from)).collect();
    let file = path.with_extension("rs");
    if file.exists() { file } else { path.join("mod.rs") }
}
