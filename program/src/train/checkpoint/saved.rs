//! [`Saved`]: what the file of a run holds.

use crate::report::Run;
use crate::train::course::Course;
use crate::train::state::State;

/// What a file holds.
pub(in crate::train) enum Saved {
    /// A run that is finished.
    Finished(Box<Run>),
    /// A run at the end of an epoch.
    Going(Box<Going>),
}

/// A run at the end of an epoch.
#[derive(Clone)]
pub(in crate::train) struct Going {
    pub course: Course,
    pub state: State,
    /// Words that the generator of the batches' order has drawn.
    pub drawn: u128,
}
