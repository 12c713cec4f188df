//! The report as a terminal shows it.

use std::fmt::Write;

use super::record::{Finding, LawRow, LawVerdict, Report, RuleRow, RuleVerdict, Target};
use crate::pipe::Operation;

/// Header, laws, rules, the first smallest case, and the verdict.
pub fn text(report: &Report) -> String {
    let mut text = header(report);
    text += &laws(&report.laws);
    if !report.rules.is_empty() && matches!(report.target, Target::Command { .. }) {
        text += &rules(&report.rules);
    }
    let shown = report.findings.iter().filter(|finding| !is_dialect(report, finding));
    if let Some(finding) = { shown }.next() {
        text += &smallest(finding);
    }
    text + "\n" + &verdict(report) + "\n"
}

fn header(report: &Report) -> String {
    let Target::Command { name, version, rules, bases, scalars, operations, keeps_state, .. } =
        &report.target
    else {
        let (version, scope) = (env!("CARGO_PKG_VERSION"), presam_conformance::Scope::full());
        let (rules, bases) = (scope.rules.len(), scope.bases.join(", "));
        return format!("presam {version}: the core, {rules} rules over {bases}\n\n");
    };
    let version = version.as_deref().unwrap_or("without a version");
    let operations: Vec<_> = operations.iter().map(|operation| operation.name()).collect();
    let keeps = if *keeps_state { ", keeps its memory and state" } else { "" };
    let mut text = format!("{name} {version}: {}{keeps}\n", operations.join(", "));
    for (label, names) in [("rules", rules), ("bases", bases), ("scalars", scalars)] {
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "  {label:<8} {}",
            if names.is_empty() { "none".into() } else { names.join(", ") }
        );
    }
    let _ = writeln!(text, "  judged by {}\n", report.measure);
    text
}

fn laws(laws: &[LawRow]) -> String {
    let width = laws.iter().map(|row| row.law.len()).max().unwrap_or(0);
    let mut text = format!("{:<width$}  scalar    cases  worst  verdict\n", "law");
    for row in laws {
        let worst = row.worst.map_or("-".to_owned(), |worst| format!("{worst:.2}"));
        let verdict = match row.verdict {
            LawVerdict::Holds => "holds".to_owned(),
            LawVerdict::Differs => format!("differs for {}", row.differs_for.join(", ")),
            LawVerdict::NotJudged => "too few cases to judge".to_owned(),
        };
        let half = if row.operation == Operation::Step { "" } else { row.operation.name() };
        let verdict = format!("{verdict} {half}");
        let (law, scalar, cases) = (row.law, row.scalar, row.cases);
        let _ = writeln!(
            text,
            "{law:<width$}  {scalar:<6} {cases:>8} {worst:>6}  {}",
            verdict.trim_end()
        );
    }
    text
}

fn rules(rules: &[RuleRow]) -> String {
    let width = rules.iter().map(|row| row.rule.len()).max().unwrap_or(0).max("rule".len());
    let mut text = format!("\n{:<width$}  scalar  verdict\n", "rule");
    for RuleRow { rule, scalar, says, .. } in rules {
        let _ = writeln!(text, "{rule:<width$}  {scalar:<6}  {says}");
    }
    text
}

/// Whether a rule's failing laws are explained by somebody's convention.
fn is_dialect(report: &Report, finding: &Finding) -> bool {
    report.rules.iter().any(|row| {
        row.verdict == RuleVerdict::AgreesAs
            && (row.rule, row.scalar, row.operation.name())
                == (finding.rule.as_str(), finding.scalar.as_str(), finding.operation.as_str())
    })
}

fn smallest(finding: &Finding) -> String {
    let Finding { law, statement, rule, scalar, place, expected, found, case_text, .. } = finding;
    let kind = if finding.is_smallest { "smallest failing case" } else { "a failing case" };
    format!(
        "\nlaw {law} does not hold for {rule} ({scalar}): {statement}\n  {place}\n    expected {expected}\n    found    {found}\n{kind}:\n{case_text}"
    )
}

/// One line, the exit code's meaning in words.
fn verdict(report: &Report) -> String {
    let Report { requests, seconds, .. } = report;
    let rate = *requests as f64 / seconds.max(1e-9);
    let speed = format!("{requests} steps in {seconds:.1} s, {rate:.0} a second");
    let word = match report.exit_code() {
        0 if report.findings.is_empty() => "agrees",
        0 => "agrees, in somebody's dialect",
        1 => "differs",
        _ => "not all of it could be judged",
    };
    format!("{word} ({speed})")
}
