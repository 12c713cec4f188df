//! [`Job`]: one run to be done.

use crate::config::{Config, Plan};

/// One run to be done.
pub(super) struct Job<'a> {
    pub config: &'a Config,
    pub plan: Plan,
    pub label_noise: f64,
    pub seed: u64,
    /// Whether the run ends with sharpness; a tuning does not need it.
    pub sharpness: bool,
}
