//! What a long computation tells while it runs; who listens decides how to show it.

use crate::report::Run;

/// One message of a running comparison. Messages may come from several threads.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// So many epochs, over all runs, lie ahead.
    Start {
        /// Epochs of all runs together.
        epochs: u64,
        /// What they are for, for example `training` or `tuning`.
        what: &'a str,
    },
    /// One epoch of one run is done.
    Epoch,
    /// One run is done.
    Finished(&'a Run),
    /// Anything else worth a line.
    Note(&'a str),
}
