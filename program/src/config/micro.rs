//! [`Micro`]: a batch in parts, and whose gradient perturbs.

use clap::ValueEnum;
use serde::Serialize;

/// Whose gradient perturbs where a batch is taken in parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Perturb {
    /// The whole batch's: parts only save memory (gradient accumulation).
    #[default]
    Synchronised,
    /// Each part's own (m-SAM), with memory of its own.
    Local,
}

/// How a batch is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Micro {
    /// In so many parts, one after the other.
    pub parts: usize,
    /// Whose gradient perturbs.
    pub perturb: Perturb,
}

impl Micro {
    /// Whether parts perturb each by itself.
    pub fn is_local(self) -> bool {
        self.parts > 1 && self.perturb == Perturb::Local
    }
}
