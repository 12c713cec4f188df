//! The report as a terminal shows it.

use std::collections::BTreeMap;

use super::{Difference, Report, Training};
use crate::show::table::{Column, Table};
use crate::show::view::View;

/// The scalars that a kernel may have in its name, as columns.
const SCALARS: [&str; 2] = ["f32", "mixed"];
const KERNELS: [Column; 3] = [Column::left("kernel"), Column::right("f32"), Column::right("mixed")];
const TRAINING: [Column; 3] =
    [Column::left("training"), Column::right("epochs"), Column::left("params_sha256")];

/// Cases for each kernel, the training runs, and the verdict.
pub fn table(report: &Report, view: View) -> String {
    let mut rows: BTreeMap<&str, [Option<u64>; 2]> = BTreeMap::new();
    for kernel in &report.kernels {
        let scalar = SCALARS.iter().position(|s| kernel.kernel.ends_with(&format!("_{s}")));
        let name = match scalar {
            Some(scalar) => kernel.kernel.trim_end_matches(SCALARS[scalar]).trim_end_matches('_'),
            None => kernel.kernel,
        };
        rows.entry(name).or_default()[scalar.unwrap_or(0)] = Some(kernel.cases);
    }
    let cell = |cases: Option<u64>| cases.map_or("-".to_owned(), |cases| cases.to_string());
    let row = |(name, cases): (&str, [Option<u64>; 2])| {
        std::iter::once(name.to_owned()).chain(cases.map(cell)).collect()
    };
    let kernels = Table::new(KERNELS)
        .section(format!("cases on {}", report.device), rows.into_iter().map(row).collect());
    let training = Table::new(TRAINING).section("", report.training.iter().map(trained).collect());
    let verdict = view.wrapped(&verdict(report), 2) + "\n";
    let differences = report.differences.iter().map(|one| differing(one, view)).collect();
    let parts = [kernels.text(view), training.text(view), differences, verdict];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn trained(run: &Training) -> Vec<String> {
    let same = run.cpu_sha256 == run.device_sha256;
    let word = if same { "equal" } else { "DIFFERENT" };
    let cpu = run.cpu_sha256.get(..16).unwrap_or_default();
    vec![run.method.to_string(), run.epochs.to_string(), format!("{cpu}... {word}")]
}

/// A difference, the kernels that ran in it and the smallest case.
fn differing(difference: &Difference, view: View) -> String {
    let ran = format!("  ran: {}", difference.kernels.join(", "));
    let lines = [format!("differs: {difference}"), ran].map(|line| view.wrapped(&line, 2) + "\n");
    lines.concat() + &difference.smallest
}

/// One line: what holds, or how much does not.
fn verdict(report: &Report) -> String {
    if let Some(refusal) = &report.stopped {
        let count = report.differences.len();
        return format!("stopped early, differences so far: {count}; {refusal}");
    }
    if !report.differences.is_empty() {
        let never = report.kernels.iter().filter(|kernel| kernel.cases == 0).map(|row| row.kernel);
        let never: Vec<_> = never.collect();
        let none = if never.is_empty() { "none".into() } else { never.join(", ") };
        let count = report.differences.len();
        return format!("differs: {count} differences above; kernels that never agreed: {none}");
    }
    if let Some(run) = report.training.iter().find(|run| run.cpu_sha256 != run.device_sha256) {
        let (cpu, device) = (&run.cpu_sha256, &run.device_sha256);
        return format!("differs: training with {}: expected {cpu}, found {device}", run.method);
    }
    if let Some(kernel) = report.uncovered() {
        return format!("not covered: {kernel} did not run in so few cases; nothing differs");
    }
    let kernels = report.kernels.len();
    match report.training.len() {
        0 => format!("{kernels} kernels agree with the core in every bit; nothing was trained"),
        runs => {
            format!("{kernels} kernels and {runs} training runs agree with the core in every bit")
        }
    }
}
