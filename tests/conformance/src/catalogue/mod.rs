//! What code other than the oracle's does, and which of it a backend does: [`catalogue`], [`diagnose`].
//!
//! One step stands behind all entries: the formula, with a setting for each place at which codes of the
//! field part ways. Untwisted it is the oracle's. It computes in `f64` and follows the rounding errors that
//! other code of the same twisted formula may make, so that "exactly as if" is a comparison with a bound.

mod ascent;
pub(crate) mod convention;
mod descent;
mod diagnose;
mod dialects;
mod entry;
mod planted;
mod rules;
mod single;
mod slips;
mod terms;
mod trial;
mod twist;

pub use convention::Convention;
pub use diagnose::{
    Diagnosis, diagnose, diagnose_each, diagnose_over, diagnose_subtraction, off_at_rest,
};
pub(crate) use diagnose::{diagnosed, off};
pub use entry::{Entry, Kind, RIGHT};
pub use planted::Planted;
pub use trial::Questions;

use std::sync::LazyLock;

/// Every entry, the dialects first, from the simple to the far-fetched.
#[must_use]
pub fn catalogue() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        [dialects::DIALECTS, slips::OF_STEPS, slips::OF_RULES, slips::OF_BASES].concat()
    });
    &ENTRIES
}

/// The entry of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Entry> {
    catalogue().iter().find(|entry| entry.name == name)
}
