//! Files that are complete or not there.
//!
//! Everything goes into a temporary folder inside the target first (the same file system, the usual rights) and to the
//! disk; then each file is renamed into place, and the renames go to the disk too. An interruption leaves older files
//! as they were.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::tilde::unreplaced;

/// How the names of temporary folders begin.
pub(crate) const SCRATCH: &str = ".presam-";

/// A folder or file that could not be written.
#[derive(Debug)]
pub struct OutputError {
    flag: &'static str,
    path: PathBuf,
    expected: &'static str,
    reason: String,
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flag, path, expected, reason } = self;
        write!(f, "{flag} {}: expected a writable {expected}, found: {reason}", path.display())
    }
}

impl std::error::Error for OutputError {}

/// A folder, and the flag that named it.
#[derive(Clone, Copy, Debug)]
pub struct Folder<'a> {
    /// As the user typed it, for errors.
    pub flag: &'static str,
    /// Where it is, or will be.
    pub path: &'a Path,
}

impl Folder<'_> {
    /// Checks, before an hour is spent computing, that files of these names can be written to it; leaves no trace.
    ///
    /// # Errors
    /// The folder, or the nearest existing one above it, is no folder or not writable; a folder has one of the names.
    pub fn check(self, names: &[&str]) -> Result<(), OutputError> {
        if let Some(meant) = unreplaced(self.path) {
            let meant = meant.display();
            return Err(self.error(format_args!("a ~ that no shell has replaced: write {meant}")));
        }
        let above = std::path::absolute(self.path).map_err(|reason| self.error(reason))?;
        let above = above.ancestors().find(|path| path.exists());
        let above = above.ok_or_else(|| self.error("no folder above it exists"))?;
        if !above.is_dir() {
            return Err(self.error(format_args!("{} is no folder", above.display())));
        }
        if let Some(name) = names.iter().find(|name| self.path.join(name).is_dir()) {
            return Err(self.error(format_args!("a folder named {name} in it")));
        }
        scratch(above).map(drop).map_err(|reason| self.error(reason))
    }

    /// Writes the files, each a name with its bytes, into the folder, which is made where it does not exist.
    ///
    /// # Errors
    /// A file or folder that cannot be written; files that stood there before are then as they were, unless the failure
    /// is that of a rename, before which everything had been written completely.
    pub fn write<N: AsRef<Path>>(self, files: &[(N, Vec<u8>)]) -> Result<(), OutputError> {
        let wrong = |name: &N, reason| OutputError {
            path: self.path.join(name),
            ..self.error::<io::Error>(reason)
        };
        let place = std::path::absolute(self.path).map_err(|reason| self.error(reason))?;
        std::fs::create_dir_all(&place).map_err(|reason| self.error(reason))?;
        let scratch = scratch(&place).map_err(|reason| self.error(reason))?;
        for (name, bytes) in files {
            write_through(&scratch.path().join(name), bytes)
                .map_err(|reason| wrong(name, reason))?;
        }
        for (name, _) in files {
            std::fs::rename(scratch.path().join(name), place.join(name))
                .map_err(|reason| wrong(name, reason))?;
        }
        sync(&place).map_err(|reason| self.error(reason))
    }

    /// The error that the folder cannot take what it should.
    pub fn error<E: fmt::Display>(self, reason: E) -> OutputError {
        let Self { flag, path } = self;
        OutputError { flag, path: path.to_owned(), expected: "folder", reason: reason.to_string() }
    }
}

/// Writes one file that `flag` named, with the folders above it.
///
/// # Errors
/// A place that cannot be written; a file that stood there is then as it was.
pub fn write_file(flag: &'static str, file: &Path, bytes: Vec<u8>) -> Result<(), OutputError> {
    let wrong =
        |reason: String| OutputError { flag, path: file.to_owned(), expected: "file", reason };
    let whole = std::path::absolute(file).map_err(|reason| wrong(reason.to_string()))?;
    let (Some(folder), Some(name)) = (whole.parent(), whole.file_name()) else {
        return Err(wrong("no file name".to_owned()));
    };
    let written = Folder { flag, path: folder }.write(&[(name, bytes)]);
    written.map_err(|error| wrong(error.reason))
}

/// A value as the bytes of a JSON file.
///
/// # Errors
/// None that a record can cause; the serialiser's own is passed on.
pub fn json<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A folder of a name of its own inside `parent`; it goes when dropped.
fn scratch(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(SCRATCH).tempdir_in(parent)
}

/// Written and handed to the disk, so that a rename after it cannot leave an empty file behind a power cut.
fn write_through(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut open = File::create(file)?;
    open.write_all(bytes)?;
    open.sync_all()
}

/// Hands the names in a folder to the disk; Windows opens no folder as a file.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_check_leaves_no_trace_and_files_replace_older_ones_beside_others() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a").join("out");
        let folder = Folder { flag: "--out", path: &path };
        folder.check(&["x", "y"]).unwrap();
        assert!(names(place.path()).is_empty());
        folder.write(&[("x", b"1".to_vec()), ("y", b"2".to_vec())]).unwrap();
        std::fs::write(path.join("notes.txt"), "mine").unwrap();
        folder.write(&[("x", b"3".to_vec())]).unwrap();
        assert_eq!(names(&path), ["notes.txt", "x", "y"]);
        let read = |name| std::fs::read_to_string(path.join(name)).unwrap();
        assert_eq!(["notes.txt", "x", "y"].map(read), ["mine", "3", "2"]);
        write_file("--out", &path.join("b/z"), b"4".to_vec()).unwrap();
        assert_eq!(names(&path.join("b")), ["z"]);
        assert_eq!(names(&place.path().join("a")), ["out"]);
    }

    #[test]
    fn a_place_that_cannot_be_is_one_clear_line_and_older_files_stay() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "old").unwrap();
        std::fs::create_dir(place.path().join("taken")).unwrap();
        for path in [file.clone(), file.join("below")] {
            let folder = Folder { flag: "--out", path: &path };
            let message = folder.check(&[]).unwrap_err().to_string();
            assert!(message.starts_with("--out ") && message.ends_with("file is no folder"));
            assert!(folder.write(&[("x", Vec::new())]).is_err());
        }
        let folder = Folder { flag: "--save", path: place.path() };
        let message = folder.check(&["x", "taken"]).unwrap_err().to_string();
        assert!(message.ends_with("found: a folder named taken in it"), "{message}");
        let message = write_file("--out", &file.join("x"), Vec::new()).unwrap_err().to_string();
        assert!(message.contains("file/x: expected a writable file, found: "), "{message}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
        assert_eq!(names(place.path()), ["file", "taken"]);
    }
}
