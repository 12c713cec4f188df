//! Files that are complete or not there.
//!
//! Everything goes into temporary folders beside the targets first (the same file system, the usual rights) and to the
//! disk; then each file is renamed into place, and the renames go to the disk too. An interruption leaves older files
//! as they were. A symlink stays, and what it names is replaced; a pipe or a device stays and is written into.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::tilde::unreplaced;

/// The name of a file that has not been renamed yet.
const NEW: &str = "new";

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
    /// The folder, or the nearest existing one above it, is no folder or not writable; a folder has one of the names, or
    /// a symlink whose file cannot be written.
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
        self.scratch(above).map(drop).map_err(|reason| self.error(reason))?;
        let mut links = names.iter().filter(|name| self.path.join(name).is_symlink());
        links.try_for_each(|name| self.way(name).map(drop))
    }

    /// Writes the files, each a name with its bytes, into the folder, which is made where it does not exist.
    ///
    /// # Errors
    /// A file or folder that cannot be written; files that stood there before are then as they were, unless the failure
    /// is that of a rename, or of a pipe or device, before which everything else had been written completely.
    pub fn write<N: AsRef<Path>>(self, files: &[(N, Vec<u8>)]) -> Result<(), OutputError> {
        let place = std::path::absolute(self.path).map_err(|reason| self.error(reason))?;
        std::fs::create_dir_all(place).map_err(|reason| self.error(reason))?;
        let ways = files.iter().map(|(name, _)| self.way(name)).collect::<Result<Vec<_>, _>>()?;
        for ((name, bytes), way) in files.iter().zip(&ways) {
            way.prepare(bytes).map_err(|reason| self.wrong(name, reason))?;
        }
        for ((name, bytes), way) in files.iter().zip(&ways) {
            way.finish(bytes).map_err(|reason| self.wrong(name, reason))?;
        }
        Ok(())
    }

    /// How a file of this name is written.
    fn way<N: AsRef<Path>>(self, name: N) -> Result<Way, OutputError> {
        let way = || {
            let file = std::path::absolute(self.path.join(&name))?;
            if std::fs::metadata(&file).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
                return Ok(Way::Into(file));
            }
            let target = behind_links(file)?;
            let above = target.parent().unwrap_or(&target);
            Ok(Way::Beside(self.scratch(above)?, target))
        };
        way().map_err(|reason| self.wrong(&name, reason))
    }

    /// A folder of a name of its own inside `parent`; it goes when dropped.
    fn scratch(self, parent: &Path) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix(&self.scratch_prefix()).tempdir_in(parent)
    }

    /// How the names of its temporary folders begin: another flag's process has others.
    pub(crate) fn scratch_prefix(self) -> String {
        format!(".presam-{}-", self.flag.trim_start_matches('-'))
    }

    /// The error that a file in the folder cannot be written.
    fn wrong(self, name: impl AsRef<Path>, reason: io::Error) -> OutputError {
        OutputError { path: self.path.join(name), expected: "file", ..self.error(reason) }
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

/// How a file is written.
enum Way {
    /// Into what stands there: a pipe or a device, which a rename would replace.
    Into(PathBuf),
    /// Into a folder beside the target first.
    Beside(TempDir, PathBuf),
}

impl Way {
    fn prepare(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Into(_) => Ok(()),
            Self::Beside(scratch, _) => write_through(&scratch.path().join(NEW), bytes),
        }
    }

    fn finish(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Into(stream) => File::options().write(true).open(stream)?.write_all(bytes),
            Self::Beside(scratch, target) => {
                std::fs::rename(scratch.path().join(NEW), target)?;
                target.parent().map_or(Ok(()), sync)
            }
        }
    }
}

/// The file that `file` stands for, there or not.
fn behind_links(file: PathBuf) -> io::Result<PathBuf> {
    match file.canonicalize() {
        // A link to nothing yet; a circle of links is another error.
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => match file.read_link() {
            Ok(next) => behind_links(file.parent().unwrap_or(Path::new("")).join(next)),
            Err(_) => Ok(file),
        },
        found => found,
    }
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

    #[cfg(unix)]
    #[test]
    fn a_symlink_stays_and_what_it_names_is_written() {
        use std::os::unix::fs::symlink;
        let place = tempfile::tempdir().unwrap();
        let [real, out] = ["real", "out"].map(|name| place.path().join(name));
        std::fs::create_dir(&real).unwrap();
        std::fs::create_dir(&out).unwrap();
        std::fs::write(real.join("x"), "old").unwrap();
        for (to, name) in [("../real/x", "x"), ("../real/new", "y"), ("x", "z")] {
            symlink(to, out.join(name)).unwrap();
        }
        let folder = Folder { flag: "--out", path: &out };
        folder.check(&["x", "y", "plain"]).unwrap();
        folder
            .write(&[("x", b"1"), ("y", b"2"), ("plain", b"3")].map(|(n, b)| (n, b.to_vec())))
            .unwrap();
        let read = |name| std::fs::read_to_string(real.join(name)).unwrap();
        assert_eq!(["x", "new"].map(read), ["1", "2"]);
        write_file("--out", &out.join("z"), b"4".to_vec()).unwrap();
        assert_eq!(read("x"), "4");
        assert!(["x", "y", "z"].iter().all(|name| out.join(name).is_symlink()));
        assert_eq!(
            (names(&real), names(&out)),
            (vec!["new".into(), "x".into()], ["plain", "x", "y", "z"].map(String::from).to_vec())
        );
        symlink("../absent/x", out.join("w")).unwrap();
        let message = folder.check(&["w"]).unwrap_err().to_string();
        assert!(message.contains("w: expected a writable file, found: "), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_gets_the_bytes_and_stays() {
        use std::os::unix::fs::{FileTypeExt, symlink};
        let place = tempfile::tempdir().unwrap();
        let [pipe, link] = ["pipe", "link"].map(|name| place.path().join(name));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        symlink("pipe", &link).unwrap();
        for file in [&pipe, &link] {
            let end = pipe.clone();
            let reader = std::thread::spawn(move || std::fs::read(end).unwrap());
            write_file("--out", file, b"1".to_vec()).unwrap();
            assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());
            assert_eq!(reader.join().unwrap(), b"1");
        }
        assert!(link.is_symlink());
        assert_eq!(names(place.path()), ["link", "pipe"]);
    }
}
