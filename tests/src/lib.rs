//! The suite of presam, poured over every backend.
//!
//! `src/` holds what the tests share: their number of cases, the smooth problems of the
//! convergence test, the functions that name a plane of the wrong length (`fuzz` calls them too) and the generated
//! table of sizes. The tests are in `tests/`, one subject a file.

pub mod problem;
pub mod products;
pub mod shapes;
pub mod sizes;
pub mod traffic;

use presam_conformance::{Config, Report, Scope, Verdict, laws};

/// Cases for a test: `cases`, multiplied by the environment's `PROPTEST_CASES` over 256 (proptest's
/// default, so `PROPTEST_CASES=2560` runs ten times as many).
#[must_use]
pub fn config(cases: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse::<u64>().ok());
    let cases = u64::from(cases) * asked.unwrap_or(256) / 256;
    Config { cases: u32::try_from(cases).unwrap_or(u32::MAX).max(1), seed: 20_250_111 }
}

/// Prints what every law says of a backend that claims the whole contract.
///
/// # Panics
/// Where one of the contract's does not hold or had no case; what is about code that claims less is out of scope.
pub fn every_law_holds(reports: &[Report]) {
    let claimed = laws::all::<f64>().into_iter().filter(|law| (law.needs)(&Scope::full()));
    let tried: Vec<_> = reports.iter().filter(|r| r.verdict != Verdict::OutOfScope).collect();
    assert!(tried.iter().map(|report| report.law).eq(claimed.map(|law| law.name)), "{reports:?}");
    for report in tried {
        println!("{report}");
        assert_eq!(report.verdict, Verdict::Holds, "{report}");
        assert!(report.cases > 0, "{report}");
    }
}
