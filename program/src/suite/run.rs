//! The laws over a backend, one rule after the other, going on after what fails.

use presam_conformance::runner::SHRINKS;
use presam_conformance::{Failure, Law, Rule, Scalar, Trial, Verdict, Worst};

use super::record::{Finding, LawRow, LawVerdict, RuleRow};
use super::settle::settled;
use super::subject::{Plan, Subject, Witness};
use presam_pipe::Operation;

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
        let is_judged = !unjudged.contains(&rule.name());
        let broken: Vec<&str> = broken_by(&outcome.findings, rule).collect();
        let (settled, failure) = settled(subject, laws, (rule, is_judged), &broken, plan);
        if !subject.answers() {
            return outcome;
        }
        // A law that only a dialect is found to break.
        if let Some(failure) = failure.filter(|failure| !broken.contains(&failure.law)) {
            let place = (rule, R::NAME, plan.operation);
            outcome.findings.push(finding(place, &failure, subject.witness(), true));
        }
        let half = plan.operation == Operation::Descend;
        let name = if half { "base optimizers" } else { rule.name() };
        outcome.rules.push(RuleRow::new((name, R::NAME, plan.operation), settled));
    }
    outcome
}

/// The laws that do not hold for the rule.
fn broken_by(findings: &[Finding], rule: Rule) -> impl Iterator<Item = &str> {
    let of_rule = findings.iter().filter(move |finding| finding.rule == rule.name());
    of_rule.map(|finding| finding.law.as_str())
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
        let is_first = broken_by(findings, rule).next().is_none();
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
            unjudged_for: self.unjudged,
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
