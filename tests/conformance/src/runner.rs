//! Runs laws over generated cases.

use crate::backend::{Backend, Scope};
use crate::case::Case;
use crate::generate::{Shape, cases};
use crate::laws::{self, Checked, Law};
use crate::report::{Failure, Mismatch, Report, Verdict};
use crate::scalar::Scalar;
use crate::simplify::{cost, simplest};
use crate::worst::Worst;
use presam_oracle::Rule;
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
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
    let rules = backend.scope().rules;
    let least = config.cases.div_ceil(2);
    Trial { law, rules: &rules, config, shrinks: SHRINKS, least }.run(backend)
}

/// Questions of the search for the smallest failing case, twice.
pub const SHRINKS: u32 = 4096;

/// One law over some of the backend's rules.
#[derive(Clone, Copy)]
pub struct Trial<'a, R> {
    /// The law.
    pub law: &'a Law<R>,
    /// The rules, those that the law is not about left out.
    pub rules: &'a [Rule],
    /// How many cases, and which.
    pub config: Config,
    /// Questions of the search for the smallest failing case, of which one of more than 64 elements counts as several:
    /// [`SHRINKS`], or 0 where any will do.
    pub shrinks: u32,
    /// Fewer judged cases than this are a failure.
    pub least: u32,
}

impl<R: Scalar> Trial<'_, R> {
    /// Tries it.
    ///
    /// # Errors
    /// The smallest failing case; or too few judged cases, which has none.
    pub fn run<B: Backend<R>>(&self, backend: &mut B) -> Result<Report, Box<Failure>> {
        tried(self, backend)
    }
}

/// The same for any backend: compiled in this crate alone.
pub(crate) fn tried<R: Scalar>(
    trial: &Trial<'_, R>,
    backend: &mut dyn Backend<R>,
) -> Result<Report, Box<Failure>> {
    let Trial { law, rules, .. } = *trial;
    let rules: Vec<_> = rules.iter().copied().filter(|rule| (law.rules)(*rule)).collect();
    let scope = backend.scope();
    if rules.is_empty() || scope.bases.is_empty() || !(law.needs)(&scope) {
        return Ok(report(law, Verdict::OutOfScope, (0, 0), Worst::default()));
    }
    judged(backend, trial, &cases(&scope, &rules, law.shape))
}

fn judged<R: Scalar>(
    backend: &mut dyn Backend<R>,
    trial: &Trial<'_, R>,
    strategy: &BoxedStrategy<Case<R>>,
) -> Result<Report, Box<Failure>> {
    let Trial { law, config, shrinks, least, .. } = *trial;
    let (counts, failed) = (Cell::new((0_u32, 0_u32)), Cell::new(false));
    let asks = Cell::new(shrinks);
    let (backend, worst) = (RefCell::new(backend), RefCell::new(Worst::default()));
    let judge = |case: &Case<R>| {
        backend.borrow_mut().begins(case);
        (law.check)(&mut *backend.borrow_mut(), case, &mut worst.borrow_mut())
    };
    let result = runner(law.name, config, shrinks).run(strategy, |case| {
        let (judged, skipped) = counts.get();
        if failed.get() {
            // Its end is ours: proptest tells on standard error that it ends early.
            let Some(left) = asks.get().checked_sub(cost(case.elements())) else { return Ok(()) };
            asks.set(left);
        }
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
        Ok(()) if judged < least => Err(nothing_judged(law.name, law.statement)),
        Ok(()) => Ok(report(law, Verdict::Holds, counts.get(), *worst.borrow())),
        Err(error) => Err(failure(trial, judged, error, |case| judge(case).err())),
    }
}

/// Cases of these rules within the scope, without a judge: for whoever wants to write them down.
///
/// # Errors
/// A strategy that gives none, which ours do not.
pub fn draw<R: Scalar>(
    scope: &Scope,
    rules: &[Rule],
    shape: Shape,
    config: Config,
) -> Result<Vec<Case<R>>, String> {
    let mut runner = runner("draw", config, 0);
    let strategy = cases::<R>(scope, rules, shape);
    let draw = |_| {
        let tree = strategy.new_tree(&mut runner);
        tree.map(|tree| tree.current()).map_err(|reason| reason.to_string())
    };
    (0..config.cases).map(draw).collect()
}

fn report<R: Scalar>(
    law: &Law<R>,
    verdict: Verdict,
    (cases, passed_over): (u32, u32),
    worst: Worst,
) -> Report {
    Report { law: law.name, scalar: R::NAME, cases, passed_over, worst, verdict }
}

fn runner(law: &str, config: Config, shrinks: u32) -> TestRunner {
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
        max_shrink_iters: if shrinks == 0 { 0 } else { u32::MAX },
        ..RunnerConfig::default()
    };
    TestRunner::new_with_rng(settings, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

fn nothing_judged(law: &'static str, statement: &'static str) -> Box<Failure> {
    let mismatch = Mismatch::new("cases", "enough that can be judged", "too few");
    Box::new(Failure { law, statement, cases: 0, mismatch, case: String::new() })
}

fn failure<R: Scalar>(
    trial: &Trial<'_, R>,
    cases: u32,
    error: TestError<Case<R>>,
    judge: impl Fn(&Case<R>) -> Option<Mismatch>,
) -> Box<Failure> {
    let Trial { law, shrinks, .. } = *trial;
    let (mismatch, case) = match error {
        TestError::Abort(reason) => (Mismatch::no_answer(reason), String::new()),
        TestError::Fail(reason, case) => {
            // A wrong number is not to become a case that is refused, nor the other way round.
            let is_refused = |mismatch: &Mismatch| mismatch.place == Mismatch::ANSWER;
            let refused = judge(&case).is_some_and(|mismatch| is_refused(&mismatch));
            let fails = |mismatch: Mismatch| is_refused(&mismatch) == refused;
            let case = simplest(case, shrinks, |case| judge(case).is_some_and(fails));
            // A backend that answers otherwise the second time is itself the finding.
            let again = judge(&case).unwrap_or_else(|| {
                Mismatch::new("second run of the case", reason.to_string(), "no difference")
            });
            (again, case.to_string())
        }
    };
    Box::new(Failure { law: law.name, statement: law.statement, cases, mismatch, case })
}
