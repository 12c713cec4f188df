//! [`Checkpoints`]: a comparison on disk while it runs, a file a run, so that another process can go on.
//!
//! ```text
//! DIR/sam-noise0.6-seed3.safetensors           a run at the end of an epoch, or its record once it is finished
//! DIR/tuning-sam-noise0.6-seed9001-1c4e09aa…   a trial of a tuning
//! DIR/.presam-lock                             held while a process writes here
//! ```
//!
//! Each file is complete or not there, and no two hang together: a kill at any moment costs the epochs since a
//! run's last file and nothing else.

mod file;
mod folder;
mod saved;
mod settings;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::job::Job;
use super::ranks::Ranks;
use super::split::Judge;
use crate::config::ConfigError;
use crate::data::Loaded;
use crate::error::Error;
use crate::show::files::Folder;
use file::Contents;
use folder::FLAG;
pub(super) use saved::{Going, Saved};
pub(super) use settings::data_sha256;

/// Where a comparison is kept, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoints<'a> {
    /// The folder, which is made where it does not exist.
    pub folder: &'a Path,
    /// Epochs of a run between two writes of its file; at least 1.
    pub every: usize,
    /// Whether to go on with what the folder holds; without it the folder must hold no checkpoint.
    pub resume: bool,
    /// Once true, every run ends with the epoch that it is in, is written, and the comparison is
    /// [`Error::Interrupted`].
    pub stop: &'a AtomicBool,
}

impl Checkpoints<'_> {
    /// What can be refused before any data are read; leaves no trace.
    ///
    /// # Errors
    /// A folder that cannot be written, or one with checkpoints where nothing is to be resumed.
    pub fn check(&self) -> Result<(), Error> {
        Folder { flag: FLAG, path: self.folder }.check(&[])?;
        if self.resume { Ok(()) } else { folder::holds_none(self.folder) }
    }
}

/// The checkpoints of a comparison that runs.
pub(super) struct Keeper<'a> {
    checkpoints: &'a Checkpoints<'a>,
    /// Fingerprint of the data.
    data: String,
    /// Only the first one reads and writes.
    ranks: Ranks<'a>,
    /// Held until the comparison ends.
    _lock: Option<File>,
}

/// A run with its place on disk.
pub(super) struct Kept<'k> {
    keeper: &'k Keeper<'k>,
    name: String,
    settings: BTreeMap<String, Value>,
}

impl<'a> Keeper<'a> {
    /// Takes the folder.
    pub fn open(
        checkpoints: &'a Checkpoints<'a>,
        loaded: &Loaded,
        ranks: Ranks<'a>,
    ) -> Result<Self, Error> {
        let take = || {
            checkpoints.check()?;
            folder::take(checkpoints.folder)
        };
        let lock = ranks.is_first().then(take).transpose()?;
        Ok(Self { checkpoints, data: data_sha256(loaded), ranks, _lock: lock })
    }

    /// The place of a run.
    pub fn of(&self, job: &Job<'_>, judge: Judge) -> Result<Kept<'_>, Error> {
        let settings = settings::settings(job, judge, &self.data)?;
        Ok(Kept { keeper: self, name: settings::name(job, judge, &settings), settings })
    }

    /// The error of a comparison that was asked to end, once it was.
    pub fn interrupted(&self) -> Result<(), Error> {
        if self.checkpoints.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted(self.checkpoints.folder.to_owned()));
        }
        Ok(())
    }
}

impl Kept<'_> {
    fn path(&self) -> PathBuf {
        self.keeper.checkpoints.folder.join(&self.name)
    }

    /// The run as it was left; `None` where it never was written.
    pub fn load(&self) -> Result<Option<Saved>, Error> {
        let read = || match std::fs::read(self.path()) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(reason) if reason.kind() == ErrorKind::NotFound => Ok(None),
            Err(reason) => Err(self.refused("a readable file", reason)),
        };
        let Some(bytes) = self.keeper.ranks.read_by_first(read)? else { return Ok(None) };
        let contents = Contents::of(&bytes);
        let contents = contents.map_err(|(expected, found)| self.refused(expected, found))?;
        if let Some((asked, found)) = settings::difference(&self.settings, &contents.settings) {
            return Err(self.refused(format!("{asked}, which is asked for now"), found));
        }
        Ok(Some(contents.saved))
    }

    /// Writes the run where an epoch's end asks for it. [`Error::Interrupted`] behind the last write.
    pub fn epoch_ended(
        &self,
        epoch: usize,
        going: impl FnOnce() -> Result<Going, Error>,
    ) -> Result<(), Error> {
        let stopped = self.keeper.interrupted();
        if stopped.is_err() || epoch.is_multiple_of(self.keeper.checkpoints.every.max(1)) {
            self.save(&Saved::Going(Box::new(going()?)))?;
        }
        stopped
    }

    /// Writes the run.
    pub fn save(&self, saved: &Saved) -> Result<(), Error> {
        if !self.keeper.ranks.is_first() {
            return Ok(());
        }
        let folder = Folder { flag: FLAG, path: self.keeper.checkpoints.folder };
        let bytes = file::bytes(&self.settings, saved).map_err(|reason| folder.error(reason))?;
        Ok(folder.write(&[(&self.name, bytes)])?)
    }

    /// The error that the file is not what it should be.
    pub fn refused(
        &self,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) -> Error {
        let place = format!("--resume {}", self.path().display());
        ConfigError::new(place, expected, found).into()
    }
}
