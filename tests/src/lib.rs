//! The suite of presam, poured over every backend.
//!
//! `src/` holds what the tests share: their number of cases, the smooth problems of the
//! convergence test and the generated table of sizes. The tests are in `tests/`, one subject a file.

pub mod problem;
pub mod sizes;
pub mod traffic;

use presam_conformance::Config;

/// Cases for a test: `cases`, multiplied by the environment's `PROPTEST_CASES` over 256 (proptest's
/// default, so `PROPTEST_CASES=2560` runs ten times as many).
#[must_use]
pub fn config(cases: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse::<u64>().ok());
    let cases = u64::from(cases) * asked.unwrap_or(256) / 256;
    Config { cases: u32::try_from(cases).unwrap_or(u32::MAX).max(1), seed: 20_250_111 }
}
