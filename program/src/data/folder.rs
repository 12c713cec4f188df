//! What a folder holds that lacks the wanted files, in words that say what to write instead.

use std::fmt;
use std::path::{Path, PathBuf};

use super::DataError;

/// How far below a folder its data are looked for, and among how many folders.
const DEPTH: usize = 2;
const MOST_FOLDERS: usize = 64;
/// Names told of a folder that holds nothing known.
const TOLD: usize = 4;

/// The names in `folder`, sorted; those that are no text cannot be a data file's and are left out.
///
/// # Errors
/// No such folder, a file in its place, or one that cannot be read; `expected` says what it should have been.
pub(super) fn names(folder: &Path, expected: &str) -> Result<Vec<String>, DataError> {
    if folder.is_file() {
        return Err(DataError::new(folder, expected, "a file: name the folder it lies in"));
    }
    let entries = std::fs::read_dir(folder).map_err(|reason| match reason.kind() {
        std::io::ErrorKind::NotFound => DataError::new(folder, expected, "no such file or folder"),
        _ => DataError::unreadable(folder, expected, &reason),
    })?;
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// A data set known by the names of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Idx,
    Cifar10,
    Cifar10Python,
    Cifar100,
    Archive,
}

impl Kind {
    fn of(names: &[String]) -> Option<Self> {
        let any = |is: fn(&str) -> bool| names.iter().any(|name| is(name));
        let there = |wanted: &str| names.iter().any(|name| name == wanted);
        let known = [
            (any(is_idx), Self::Idx),
            (any(is_cifar10), Self::Cifar10),
            (there("data_batch_1") || there("batches.meta"), Self::Cifar10Python),
            (there("train.bin") || there("fine_label_names.txt"), Self::Cifar100),
            (there("train") && there("test") && there("meta"), Self::Cifar100),
            (any(is_archive), Self::Archive),
        ];
        known.into_iter().find_map(|(is, kind)| is.then_some(kind))
    }
}

/// A name without the ending that gzip gives it.
pub(super) fn plain(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

fn is_idx(name: &str) -> bool {
    let name = plain(name);
    name.ends_with("images-idx3-ubyte") || name.ends_with("images.idx3-ubyte")
}

pub(super) fn is_cifar10(name: &str) -> bool {
    name.starts_with("data_batch_") && plain(name).ends_with(".bin")
}

fn is_archive(name: &str) -> bool {
    [".zip", ".tar", ".tar.gz", ".tgz", ".bz2", ".xz", ".zst"].iter().any(|end| name.ends_with(end))
}

/// What `folder`, or a folder below it, holds in place of the wanted files, and what to do.
pub(super) struct Instead {
    at: PathBuf,
    kind: Option<Kind>,
    names: Vec<String>,
}

impl Instead {
    /// Looks into `folder`, whose names are known, and then into those below it.
    pub(super) fn new(folder: &Path, names: Vec<String>) -> Self {
        let own = Kind::of(&names);
        let found = match own {
            Some(Kind::Archive) | None => below(folder, DEPTH),
            Some(kind) => Some((folder.to_owned(), kind)),
        };
        let (at, kind) =
            found.map_or((folder.to_owned(), own), |(folder, kind)| (folder, Some(kind)));
        Self { at, kind, names }
    }
}

/// The first folder below that holds a known data set.
fn below(folder: &Path, depth: usize) -> Option<(PathBuf, Kind)> {
    let names = names(folder, "").ok().filter(|_| depth > 0)?;
    let folders: Vec<PathBuf> = names
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| path.is_dir())
        .take(MOST_FOLDERS)
        .collect();
    let own = folders.iter().find_map(|path| {
        let kind = Kind::of(&self::names(path, "").ok()?)?;
        (kind != Kind::Archive).then(|| (path.clone(), kind))
    });
    own.or_else(|| folders.iter().find_map(|path| below(path, depth - 1)))
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.display();
        match self.kind {
            Some(Kind::Idx) => write!(f, "IDX files in {at}: write idx:{at}"),
            Some(Kind::Cifar10) => write!(f, "CIFAR-10's files in {at}: write cifar10:{at}"),
            Some(Kind::Cifar10Python) => write!(
                f,
                "CIFAR-10's Python version in {at}: take the binary version, cifar-10-binary.tar.gz"
            ),
            Some(Kind::Cifar100) => {
                write!(f, "CIFAR-100 in {at}: it is not read, write it as IDX files")
            }
            Some(Kind::Archive) => {
                let name = self.names.iter().find(|name| is_archive(name));
                write!(f, "an archive, {}: unpack it first", name.map_or("", String::as_str))
            }
            None if self.names.is_empty() => f.write_str("an empty folder"),
            None => {
                let told: Vec<&str> = self.names.iter().take(TOLD).map(String::as_str).collect();
                let rest = if self.names.len() > TOLD { " and more" } else { "" };
                write!(f, "only {}{rest}", told.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a folder with these files.
    fn said(files: &[&str]) -> String {
        let place = tempfile::tempdir().unwrap();
        for file in files {
            let file = place.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let names = names(place.path(), "data").unwrap();
        let said = Instead::new(place.path(), names).to_string();
        said.replace(&place.path().display().to_string(), "DIR")
    }

    #[test]
    fn a_nearly_right_folder_is_recognised() {
        for (files, expected) in [
            (
                &["MNIST/raw/train-images-idx3-ubyte.gz"][..],
                "IDX files in DIR/MNIST/raw: write idx:DIR/MNIST/raw",
            ),
            (
                &["cifar-10-batches-bin/data_batch_1.bin", "cifar-10-binary.tar.gz"],
                "CIFAR-10's files in DIR/cifar-10-batches-bin: write cifar10:DIR/cifar-10-batches-bin",
            ),
            (
                &["data_batch_1", "batches.meta"],
                "CIFAR-10's Python version in DIR: take the binary version, cifar-10-binary.tar.gz",
            ),
            (&["train.bin", "test.bin"], "CIFAR-100 in DIR: it is not read, write it as IDX files"),
            (&["train", "test", "meta"], "CIFAR-100 in DIR: it is not read, write it as IDX files"),
            (&["cifar-10-binary.tar.gz"], "an archive, cifar-10-binary.tar.gz: unpack it first"),
            (
                &["train-images-idx3-ubyte.xz"],
                "an archive, train-images-idx3-ubyte.xz: unpack it first",
            ),
            (&["b", "a", "c", "d", "e"], "only a, b, c, d and more"),
            (&["a/b/c/train-images-idx3-ubyte"], "only a"),
            (&[], "an empty folder"),
        ] {
            assert_eq!(said(files), expected);
        }
    }

    #[test]
    fn what_is_no_folder_is_told() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("train-images-idx3-ubyte");
        std::fs::write(&file, "").unwrap();
        let message = names(&file, "a folder").unwrap_err().to_string();
        assert!(message.ends_with("found a file: name the folder it lies in"), "{message}");
        let message = names(&place.path().join("no"), "a folder").unwrap_err().to_string();
        assert!(message.ends_with("expected a folder, found no such file or folder"), "{message}");
    }
}
