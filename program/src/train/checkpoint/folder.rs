//! The folder of `--checkpoint`: one process at a time, and no leftovers of one that was killed.

use std::fmt::Display;
use std::fs::{File, TryLockError};
use std::path::Path;

use crate::config::ConfigError;
use crate::error::Error;
use crate::show::files::Folder;

/// The flag, for errors.
pub(super) const FLAG: &str = "--checkpoint";
/// How a checkpoint's name ends.
pub(super) const EXTENSION: &str = ".safetensors";
/// The file that is locked; what it holds stays.
const LOCK: &str = ".presam-lock";

/// Refuses a folder with checkpoints in it: they would be written over.
pub(super) fn holds_none(folder: &Path) -> Result<(), Error> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    // The first by name, so that the message is the same every time.
    match names.filter(|name| name.ends_with(EXTENSION)).min() {
        Some(name) => {
            let expected = "a folder without checkpoints, or --resume to go on with them";
            Err(refused(folder, expected, name))
        }
        None => Ok(()),
    }
}

/// Makes the folder, locks it and clears away what a killed process left half-written. The system drops the lock
/// with the process, however that ends.
pub(super) fn take(folder: &Path) -> Result<File, Error> {
    let own = Folder { flag: FLAG, path: folder };
    std::fs::create_dir_all(folder).map_err(|reason| own.error(reason))?;
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK));
    let lock = lock.map_err(|reason| own.error(reason))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let expected = "a folder that no other process writes checkpoints to";
            return Err(refused(folder, expected, "one that does"));
        }
        Err(TryLockError::Error(reason)) => return Err(own.error(reason).into()),
    }
    let scratch = own.scratch_prefix();
    for entry in std::fs::read_dir(folder).map_err(|reason| own.error(reason))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&scratch) {
            std::fs::remove_dir_all(entry.path()).map_err(|reason| own.error(reason))?;
        }
    }
    Ok(lock)
}

fn refused(folder: &Path, expected: &str, found: impl Display) -> Error {
    ConfigError::new(format!("{FLAG} {}", folder.display()), expected, found).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_in_the_folder_stays() {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &str| place.path().join(name);
        for name in ["lock", "named"] {
            std::fs::write(file(name), "mine").unwrap();
        }
        for name in [".presam-out-a", ".presam-checkpoint-a"] {
            std::fs::create_dir(file(name)).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("named", file(".presam-lock")).unwrap();
        let _lock = take(place.path()).unwrap();
        let message = take(place.path()).unwrap_err().to_string();
        assert!(message.contains("no other process"), "{message}");
        for name in ["lock", "named"] {
            assert_eq!(std::fs::read_to_string(file(name)).unwrap(), "mine");
        }
        let stays = |name: &str| file(name).exists();
        assert_eq!([".presam-out-a", ".presam-checkpoint-a"].map(stays), [true, false]);
    }
}
