//! [`Target`]: what a machine must do to be measured. Everything else is shared.

use super::job::{Job, Mode, Row};
use crate::error::Error;

/// A machine that runs and times the phases of a step.
pub trait Target {
    /// What it is; asked before the first row.
    ///
    /// # Errors
    /// A device that does not answer.
    fn describe(&self) -> Result<Device, Error>;

    /// Bytes of memory that a row's planes and copy may take up.
    fn memory(&self) -> u64;

    /// How `job` is measured here: warm only where its planes fit the last cache, graphs where there are any.
    fn modes(&self, job: &Job) -> Vec<Mode>;

    /// The row's two programs, ready to run, their answers checked once.
    ///
    /// # Errors
    /// [`Error::Wrong`] for a wrong answer; whatever the device refuses.
    fn prepare<'t>(&'t mut self, row: &Row) -> Result<Box<dyn Programs + 't>, Error>;

    /// Runs the row's job once, for a profiler to watch.
    ///
    /// # Errors
    /// Whatever the device refuses.
    fn profile(&mut self, row: &Row) -> Result<(), Error> {
        self.prepare(row)?.job(1).map(drop)
    }

    /// What an empty program costs; `None` where nothing is launched.
    ///
    /// # Errors
    /// Whatever the device refuses.
    fn launch_overhead(&mut self) -> Result<Option<Overhead>, Error> {
        Ok(None)
    }
}

/// What a device says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// The driver and its version.
    pub driver: Option<String>,
    /// Bytes of its last cache.
    pub last_cache_bytes: Option<u64>,
}

/// Nanoseconds of an empty program, sample by sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overhead {
    /// From asking for it to its end, by the host's clock.
    pub host_ns: Vec<f64>,
    /// By the device's own clock.
    pub device_ns: Vec<f64>,
}

/// The programs that alternate. Each is timed by the target's own clock, around the work alone; in
/// a cold mode the last cache is filled with other data before the clock starts.
pub trait Programs {
    /// Nanoseconds of `runs` runs of the row's job in a row.
    ///
    /// # Errors
    /// A run that did not do its work.
    fn job(&mut self, runs: u32) -> Result<f64, Error>;

    /// Nanoseconds of `runs` copies of [`copy_bytes`](Programs::copy_bytes) in a row.
    ///
    /// # Errors
    /// Whatever the device refuses.
    fn copy(&mut self, runs: u32) -> Result<f64, Error>;

    /// Whether there is a triad to run in turn with them.
    fn has_triad(&self) -> bool {
        false
    }

    /// Nanoseconds of `runs` triads (c = a + 3 b) in a row, brought to as many bytes as the job's: its floor.
    ///
    /// # Errors
    /// Whatever the device refuses.
    fn triad(&mut self, _runs: u32) -> Result<f64, Error> {
        Ok(f64::NAN)
    }

    /// Bytes that a copy reads and writes: as many as the job's, up to a whole element each way.
    fn copy_bytes(&self) -> u64;

    /// Looks at what the runs left behind.
    ///
    /// # Errors
    /// [`Error::Wrong`] for a wrong answer.
    fn check(&mut self) -> Result<(), Error>;
}
