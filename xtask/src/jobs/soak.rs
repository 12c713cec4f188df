//! Endurance: the ignored tests of `tests/tests/suite/soak.rs`, for as long as is asked.

use crate::command::{Outcome, Run};

/// The planted fault, which takes seconds, then every backend. Alone in its process, since its memory is measured.
pub(crate) fn soak(minutes: &str) -> Outcome {
    if !minutes.parse().is_ok_and(|minutes: f64| minutes > 0.0 && minutes.is_finite()) {
        return Err(format!("--minutes: expected a number above 0, found {minutes}"));
    }
    let test =
        Run::cargo().args(["test", "--test", "suite", "--"]).env("PRESAM_SOAK_MINUTES", minutes);
    test.args(["--ignored", "--nocapture", "--test-threads", "1", "soak::"]).run()
}
