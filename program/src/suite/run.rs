//! The laws over a backend, one rule after the other, going on after what fails.

use presam_conformance::runner::SHRINKS;
use presam_conformance::{
    Answer, Backend, Case, Config, Diagnosis, Failure, Law, Rule, Scalar, Scope, Trial, Verdict,
    Worst, diagnose,
};
use serde_json::Value;

use super::record::{Finding, LawRow, LawVerdict, RuleRow};
use crate::pipe::Operation;

/// What was asked in judging the last case.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness {
    pub case: Option<Value>,
    pub requests: Vec<String>,
}

/// A backend that is verified.
pub(super) trait Subject<R>: Backend<R> {
    /// Whether it still answers: else nothing more is asked.
    fn answers(&self) -> bool;

    /// What the last case asked of it.
    fn witness(&self) -> Witness;
}

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// For each law and rule.
    pub config: Config,
    /// The smallest case is searched for every law that fails, not for each rule's first alone.
    pub every_smallest: bool,
    /// The half of the step.
    pub operation: Operation,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Outcome {
    pub laws: Vec<LawRow>,
    pub rules: Vec<RuleRow>,
    pub findings: Vec<Finding>,
}

/// Tries every law over every rule of the scope, then asks the catalogue about each: its cases go where the
/// field's conventions part (norms near a guard, no gradient at all), which the laws leave out.
pub(super) fn run<R: Scalar, B: Subject<R>>(
    subject: &mut B,
    laws: &[Law<R>],
    plan: Plan,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut unjudged = Vec::new();
    for law in laws {
        let Some(row) = one_law(subject, law, plan, &mut outcome.findings) else { return outcome };
        // The first law looks at every number: what it did not judge was not judged.
        if outcome.laws.is_empty() {
            unjudged.clone_from(&row.unjudged);
        }
        outcome.laws.extend(row.finished(law, plan.operation));
    }
    for rule in subject.scope().rules {
        let fails = is_among(&outcome.findings, rule);
        let diagnosis = if !fails && unjudged.contains(&rule.name()) {
            Diagnosis::Untested
        } else {
            diagnosed(subject, rule, fails, plan)
        };
        if !subject.answers() {
            return outcome;
        }
        let half = plan.operation == Operation::Descend;
        let name = if half { "base optimizers" } else { rule.name() };
        outcome.rules.push(RuleRow::new((name, R::NAME, plan.operation), diagnosis));
    }
    outcome
}

fn is_among(findings: &[Finding], rule: Rule) -> bool {
    findings.iter().any(|finding| finding.rule == rule.name())
}

/// One law over every rule; nothing where the subject does not answer any more.
fn one_law<R: Scalar, B: Subject<R>>(
    subject: &mut B,
    law: &Law<R>,
    plan: Plan,
    findings: &mut Vec<Finding>,
) -> Option<Row> {
    let mut row = Row::default();
    for rule in subject.scope().rules {
        let is_first = !is_among(findings, rule);
        let shrinks = if is_first || plan.every_smallest { SHRINKS } else { 0 };
        let trial = Trial { law, rules: &[rule], config: plan.config, shrinks, least: 1 };
        let result = trial.run(subject);
        if !subject.answers() {
            return None;
        }
        match result {
            Ok(report) if report.verdict == Verdict::OutOfScope => {}
            Ok(report) => row.holds(u64::from(report.cases), report.worst),
            Err(failure) if failure.case.is_empty() => row.unjudged.push(rule.name()),
            Err(failure) => {
                row.differs(rule, &failure);
                let place = (rule, R::NAME, plan.operation);
                findings.push(finding(place, &failure, subject.witness(), shrinks > 0));
            }
        }
    }
    Some(row)
}

/// A law's row while its rules are tried.
#[derive(Default)]
struct Row {
    cases: u64,
    worst: Worst,
    unjudged: Vec<&'static str>,
    differs_for: Vec<&'static str>,
}

impl Row {
    fn holds(&mut self, cases: u64, worst: Worst) {
        self.cases += cases;
        self.worst = self.worst.and(worst);
    }

    fn differs(&mut self, rule: Rule, failure: &Failure) {
        // The failing one was judged too.
        self.cases += u64::from(failure.cases) + 1;
        self.differs_for.push(rule.name());
    }

    /// Nothing for a law that is about none of the rules.
    fn finished<R: Scalar>(self, law: &Law<R>, operation: Operation) -> Option<LawRow> {
        let verdict = match (self.differs_for.is_empty(), self.cases) {
            (false, _) => LawVerdict::Differs,
            (true, 0) => LawVerdict::NotJudged,
            (true, _) => LawVerdict::Holds,
        };
        (self.cases > 0 || !self.unjudged.is_empty()).then(|| LawRow {
            law: law.name,
            statement: law.statement,
            scalar: R::NAME,
            operation,
            cases: self.cases,
            worst: self.worst.largest(),
            verdict,
            differs_for: self.differs_for,
        })
    }
}

fn finding(
    (rule, scalar, operation): (Rule, &str, Operation),
    failure: &Failure,
    witness: Witness,
    is_smallest: bool,
) -> Finding {
    Finding {
        law: failure.law.to_owned(),
        statement: failure.statement.to_owned(),
        rule: rule.name().to_owned(),
        scalar: scalar.to_owned(),
        operation: operation.name().to_owned(),
        is_smallest,
        place: failure.mismatch.place.clone(),
        expected: failure.mismatch.expected.clone(),
        found: failure.mismatch.found.clone(),
        case_text: failure.case.clone(),
        case: witness.case,
        requests: witness.requests,
    }
}

/// What a rule does in the catalogue's words; `fails` where a law does not hold for it.
fn diagnosed<R: Scalar, B: Subject<R>>(
    subject: &mut B,
    rule: Rule,
    fails: bool,
    plan: Plan,
) -> Diagnosis {
    let config = Config { cases: plan.config.cases.max(DIAGNOSED), ..plan.config };
    match diagnose(&mut OneRule { subject, rule }, config) {
        // What a law saw, the catalogue's cases need not meet.
        Diagnosis::Agrees | Diagnosis::Untested if fails => Diagnosis::Differs,
        found => found,
    }
}

/// Fewer cases than this tell too few entries of the catalogue apart.
const DIAGNOSED: u32 = 128;

/// A subject of which one rule is asked.
struct OneRule<'s, B> {
    subject: &'s mut B,
    rule: Rule,
}

impl<R: Scalar, B: Backend<R>> Backend<R> for OneRule<'_, B> {
    fn scope(&self) -> Scope {
        let scope = self.subject.scope();
        let rules = scope.rules.iter().copied().filter(|rule| *rule == self.rule).collect();
        Scope { rules, ..scope }
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        self.subject.step(case)
    }

    fn begins(&mut self, case: &Case<R>) {
        self.subject.begins(case);
    }
}
