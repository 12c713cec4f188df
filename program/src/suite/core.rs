//! The core itself: every law over every rule and base optimizer, in both scalar types.

use std::time::Instant;

use presam::Cpu;
use presam_conformance::{Answer, Backend, Case, Config, Scalar, Scope, laws};

use super::record::{Report, Target};
use super::run::{Outcome, run};
use super::subject::{Plan, Subject, Witness};
use presam_backends::Phases;
use presam_pipe::{Operation, case_value};

/// The core, counted.
struct Core<R> {
    steps: u64,
    case: Option<Case<R>>,
}

impl<R: Scalar> Backend<R> for Core<R>
where
    Phases: Backend<R>,
{
    fn scope(&self) -> Scope {
        Scope::full()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        self.steps += 1;
        Phases(Cpu::detect()).step(case)
    }

    fn begins(&mut self, case: &Case<R>) {
        self.case = Some(case.clone());
    }
}

impl<R: Scalar> Subject<R> for Core<R>
where
    Phases: Backend<R>,
{
    fn answers(&self) -> bool {
        true
    }

    fn witness(&self) -> Witness {
        let case = self.case.as_ref().and_then(|case| case_value(case).ok());
        Witness { case, requests: Vec::new() }
    }
}

fn part<R: Scalar>(config: Config) -> (Outcome, u64)
where
    Phases: Backend<R>,
{
    let mut core = Core::<R> { steps: 0, case: None };
    let plan = Plan { config, every_smallest: false, operation: Operation::Step };
    (run(&mut core, &laws::all::<R>(), plan), core.steps)
}

/// Tries every law, each rule with so many cases in each scalar type.
pub fn verify_core(cases: u32, seed: u64) -> Report {
    let start = Instant::now();
    let config = Config { cases, seed };
    let (mut outcome, steps) = part::<f32>(config);
    let (other, more) = part::<f64>(config);
    outcome.laws.extend(other.laws);
    outcome.rules.extend(other.rules);
    outcome.findings.extend(other.findings);
    Report {
        target: Target::Core { version: env!("CARGO_PKG_VERSION") },
        seed,
        cases,
        allows_subtraction: false,
        measure: "the oracle's bounds, as measured for the core".into(),
        laws: outcome.laws,
        rules: outcome.rules,
        findings: outcome.findings,
        requests: steps + more,
        seconds: start.elapsed().as_secs_f64(),
    }
}
