//! The folder of `--checkpoint`: one process at a time, and no leftovers of one that was killed.

use std::fmt::Display;
use std::fs::{File, TryLockError};
use std::path::Path;

use crate::config::ConfigError;
use crate::error::Error;
use crate::show::files::{Folder, SCRATCH};

/// The flag, for errors.
pub(super) const FLAG: &str = "--checkpoint";
/// How a checkpoint's name ends.
pub(super) const EXTENSION: &str = ".safetensors";
/// The file that is locked.
const LOCK: &str = "lock";

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
    let lock = File::create(folder.join(LOCK)).map_err(|reason| own.error(reason))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let expected = "a folder that no other process writes checkpoints to";
            return Err(refused(folder, expected, "one that does"));
        }
        Err(TryLockError::Error(reason)) => return Err(own.error(reason).into()),
    }
    for entry in std::fs::read_dir(folder).map_err(|reason| own.error(reason))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(SCRATCH) {
            std::fs::remove_dir_all(entry.path()).map_err(|reason| own.error(reason))?;
        }
    }
    Ok(lock)
}

fn refused(folder: &Path, expected: &str, found: impl Display) -> Error {
    ConfigError::new(format!("{FLAG} {}", folder.display()), expected, found).into()
}
