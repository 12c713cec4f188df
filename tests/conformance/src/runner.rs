//! Runs laws over generated cases.

use crate::backend::Backend;
use crate::case::Case;
use crate::compare::Worst;
use crate::generate::cases;
use crate::laws::{self, Checked, Law};
use crate::report::{Failure, Mismatch, Report, Verdict};
use crate::scalar::Scalar;
use proptest::test_runner::{
    Config as RunnerConfig, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};
use std::cell::{Cell, RefCell};

/// How many cases, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Cases per law.
    pub cases: u32,
    /// The same seed gives the same cases.
    pub seed: u64,
}

/// Tries every law within the backend's scope.
///
/// # Errors
/// The first law that fails, with its smallest case; or a run in which no case was judged.
pub fn check<R: Scalar, B: Backend<R>>(
    backend: &mut B,
    config: Config,
) -> Result<Vec<Report>, Box<Failure>> {
    let mut reports = Vec::new();
    for law in laws::all() {
        reports.push(check_law(backend, &law, config)?);
    }
    if reports.iter().all(|report| report.cases == 0) {
        return Err(nothing_judged(
            "check",
            "a backend claims at least one rule and base optimizer",
        ));
    }
    Ok(reports)
}

/// Tries one law.
///
/// # Errors
/// The smallest failing case; or fewer judged cases than half of those asked for.
pub fn check_law<R: Scalar, B: Backend<R>>(
    backend: &mut B,
    law: &Law<R>,
    config: Config,
) -> Result<Report, Box<Failure>> {
    let scope = backend.scope();
    let rules: Vec<_> = scope.rules.iter().copied().filter(|rule| (law.rules)(*rule)).collect();
    if rules.is_empty() || scope.bases.is_empty() || !(law.needs)(&scope) {
        return Ok(report(law, Verdict::OutOfScope, (0, 0), Worst::default()));
    }
    let (counts, failed) = (Cell::new((0_u32, 0_u32)), Cell::new(false));
    let (backend, worst) = (RefCell::new(backend), RefCell::new(Worst::default()));
    let judge =
        |case: &Case<R>| (law.check)(&mut *backend.borrow_mut(), case, &mut worst.borrow_mut());
    let strategy = cases::<R>(&scope, &rules, law.shape);
    let result = runner(law.name, config).run(&strategy, |case| {
        let (judged, skipped) = counts.get();
        match judge(&case) {
            Err(mismatch) => {
                failed.set(true);
                return Err(TestCaseError::fail(mismatch.to_string()));
            }
            // Shrinking is not counted.
            Ok(_) if failed.get() => {}
            Ok(Checked::Judged) => counts.set((judged + 1, skipped)),
            Ok(Checked::PassedOver) => counts.set((judged, skipped + 1)),
        }
        Ok(())
    });
    let (judged, _) = counts.get();
    match result {
        Ok(()) if judged < config.cases.div_ceil(2) => Err(nothing_judged(law.name, law.statement)),
        Ok(()) => Ok(report(law, Verdict::Holds, counts.get(), *worst.borrow())),
        Err(error) => Err(failure(law, judged, error, |case| judge(case).err())),
    }
}

fn report<R: Scalar>(
    law: &Law<R>,
    verdict: Verdict,
    (cases, passed_over): (u32, u32),
    worst: Worst,
) -> Report {
    Report { law: law.name, scalar: R::NAME, cases, passed_over, worst, verdict }
}

fn runner(law: &str, config: Config) -> TestRunner {
    // Each law its own cases: the seed is mixed with the law's name (FNV-1a).
    let hash = law.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut seed = [0; 32];
    let words = [config.seed, hash, config.seed ^ hash, !hash].map(u64::to_le_bytes);
    seed.iter_mut().zip(words.as_flattened()).for_each(|(to, from)| *to = *from);
    let settings = RunnerConfig {
        cases: config.cases,
        failure_persistence: None,
        max_shrink_iters: 4096,
        ..RunnerConfig::default()
    };
    TestRunner::new_with_rng(settings, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

fn nothing_judged(law: &'static str, statement: &'static str) -> Box<Failure> {
    let mismatch =
        Mismatch::new("cases", "at least half of those asked for", "too few that could be judged");
    Box::new(Failure { law, statement, cases: 0, mismatch, case: String::new() })
}

fn failure<R: Scalar>(
    law: &Law<R>,
    cases: u32,
    error: TestError<Case<R>>,
    judge: impl Fn(&Case<R>) -> Option<Mismatch>,
) -> Box<Failure> {
    let (mismatch, case) = match error {
        TestError::Abort(reason) => (Mismatch::no_answer(reason), String::new()),
        TestError::Fail(reason, case) => {
            // A backend that answers otherwise the second time is itself the finding.
            let again = judge(&case).unwrap_or_else(|| {
                Mismatch::new("second run of the case", reason.to_string(), "no difference")
            });
            (again, case.to_string())
        }
    };
    Box::new(Failure { law: law.name, statement: law.statement, cases, mismatch, case })
}
