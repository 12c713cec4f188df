//! The report as a terminal shows it.

use super::record::{Finding, LawRow, LawVerdict, Report, RuleRow, RuleVerdict, Target};
use crate::show::table::{Column, Table, or_dash};
use crate::show::view::View;
use presam_pipe::Operation;

const LAWS: [Column; 5] = [
    Column::left("law"),
    Column::left("scalar"),
    Column::right("cases").leaves(2),
    Column::right("worst").leaves(1),
    Column::left("verdict"),
];
const RULES: [Column; 3] = [Column::left("rule"), Column::left("scalar"), Column::left("verdict")];

/// Header, laws, rules, the first smallest case, and the verdict.
pub fn text(report: &Report, view: View) -> String {
    let mut text = header(report, view);
    text += &laws(&report.laws).text(view);
    if !report.rules.is_empty() && matches!(report.target, Target::Command { .. }) {
        text += &format!("\n{}", rules(&report.rules).text(view));
    }
    let shown = || report.findings.iter().filter(|finding| !is_dialect(report, finding));
    // The law that no convention explains, where there is one.
    if let Some(finding) = shown().find(|one| is_named(report, one)).or_else(|| shown().next()) {
        text += &view.wrapped(&smallest(finding), 4);
    }
    text + "\n" + &verdict(report) + "\n"
}

fn header(report: &Report, view: View) -> String {
    let Target::Command { name, version, rules, bases, scalars, operations, keeps_state, .. } =
        &report.target
    else {
        let (version, scope) = (env!("CARGO_PKG_VERSION"), presam_conformance::Scope::full());
        let (rules, bases) = (scope.rules.len(), scope.bases.join(", "));
        return format!("presam {version}: the core, {rules} rules over {bases}\n\n");
    };
    let version = version.as_deref().unwrap_or("without a version");
    // Beside the whole step its halves are not asked.
    let has_step = operations.contains(&Operation::Step);
    let asked = operations.iter().filter(|one| !has_step || **one == Operation::Step);
    let operations: Vec<_> = asked.map(|operation| operation.name()).collect();
    let keeps = if *keeps_state { ", keeps its memory and state" } else { "" };
    let mut text = format!("{name} {version}: {}{keeps}\n", operations.join(", "));
    for (label, names) in [("rules", rules), ("bases", bases), ("scalars", scalars)] {
        let names = if names.is_empty() { "none".into() } else { names.join(", ") };
        text += &format!("{}\n", view.wrapped(&format!("  {label:<8} {names}"), 11));
    }
    text + &view.wrapped(&format!("  judged by {}", report.measure), 4) + "\n\n"
}

fn laws(laws: &[LawRow]) -> Table {
    let cells = |row: &LawRow| {
        let verdict = match row.verdict {
            LawVerdict::Holds => "holds".to_owned(),
            LawVerdict::Differs => format!("differs for {}", row.differs_for.join(", ")),
            LawVerdict::NotJudged => "too few cases to judge".to_owned(),
        };
        let half = if row.operation == Operation::Step { "" } else { row.operation.name() };
        let verdict = format!("{verdict} {half}").trim_end().to_owned();
        let words = [row.law.to_owned(), row.scalar.to_owned(), row.cases.to_string()];
        words.into_iter().chain([or_dash(row.worst, 2), verdict]).collect()
    };
    Table::new(LAWS).section("", laws.iter().map(cells).collect())
}

fn rules(rules: &[RuleRow]) -> Table {
    let cells = |row: &RuleRow| vec![row.rule.to_owned(), row.scalar.to_owned(), row.says.clone()];
    Table::new(RULES).section("", rules.iter().map(cells).collect())
}

/// The row of the rule that a finding is about.
fn row_of<'r>(report: &'r Report, finding: &Finding) -> Option<&'r RuleRow> {
    report.rules.iter().find(|row| {
        (row.rule, row.scalar, row.operation.name())
            == (finding.rule.as_str(), finding.scalar.as_str(), finding.operation.as_str())
    })
}

/// Whether a rule's failing laws are explained by somebody's convention.
fn is_dialect(report: &Report, finding: &Finding) -> bool {
    row_of(report, finding).is_some_and(|row| row.verdict == RuleVerdict::AgreesAs)
}

/// Whether the verdict of the rule names the finding's law.
fn is_named(report: &Report, finding: &Finding) -> bool {
    row_of(report, finding).is_some_and(|row| row.law == Some(finding.law.as_str()))
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
    let differs =
        |row: &RuleRow| matches!(row.verdict, RuleVerdict::Differs | RuleVerdict::DiffersAs);
    let word = match (report.exit_code(), report.incomplete()) {
        (_, Some(incomplete)) => format!("not all of it could be judged. {incomplete}"),
        (1, _) if report.rules.iter().any(differs) => "differs".to_owned(),
        (0 | 1, _) if report.subtracts() => "agrees but restores by subtraction".to_owned(),
        (0, _) if report.findings.is_empty() => "agrees".to_owned(),
        (0, _) => "agrees, in somebody's dialect".to_owned(),
        _ => "not all of it could be judged".to_owned(),
    };
    format!("{word} ({speed})")
}
