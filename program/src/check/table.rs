//! The report as a terminal shows it.

use std::collections::BTreeMap;

use super::Report;

/// The scalars that a kernel may have in its name, as columns.
const SCALARS: [&str; 3] = ["f32", "bf16", "f16"];

/// Cases for each kernel, the training runs, and the verdict.
pub fn table(report: &Report) -> String {
    let mut rows: BTreeMap<&str, [Option<u64>; 3]> = BTreeMap::new();
    // After a difference the rest was not run.
    let stopped = report.difference.is_some();
    for kernel in report.kernels.iter().filter(|kernel| !stopped || kernel.cases > 0) {
        let scalar = SCALARS.iter().position(|s| kernel.kernel.ends_with(&format!("_{s}")));
        let name = match scalar {
            Some(scalar) => kernel.kernel.trim_end_matches(SCALARS[scalar]).trim_end_matches('_'),
            None => kernel.kernel,
        };
        rows.entry(name).or_default()[scalar.unwrap_or(0)] = Some(kernel.cases);
    }
    let width = rows.keys().map(|name| name.len()).max().unwrap_or(0);
    let mut text = format!(
        "{:<width$}  {:>7} {:>7} {:>7}   cases on {}\n",
        "kernel", "f32", "bf16", "f16", report.device
    );
    for (name, cases) in rows {
        let cell = |cases: Option<u64>| cases.map_or("-".to_owned(), |cases| cases.to_string());
        let [a, b, c] = cases.map(cell);
        text += &format!("{name:<width$}  {a:>7} {b:>7} {c:>7}\n");
    }
    if !report.training.is_empty() {
        text += &format!("\n{:<width$}  epochs  params_sha256\n", "training");
    }
    for run in &report.training {
        let same = run.cpu_sha256 == run.device_sha256;
        let word = if same { "equal" } else { "DIFFERENT" };
        let cpu = run.cpu_sha256.get(..16).unwrap_or_default();
        text += &format!("{:<width$}  {:>6}  {cpu}... {word}\n", run.method, run.epochs);
    }
    text + "\n" + &verdict(report) + "\n"
}

/// One line: what holds, or the first thing that does not.
fn verdict(report: &Report) -> String {
    if let Some(difference) = &report.difference {
        return format!("differs: {difference}");
    }
    if let Some(run) = report.training.iter().find(|run| run.cpu_sha256 != run.device_sha256) {
        let (cpu, device) = (&run.cpu_sha256, &run.device_sha256);
        return format!("differs: training with {}: expected {cpu}, found {device}", run.method);
    }
    if let Some(kernel) = report.uncovered() {
        return format!("not covered: {kernel} did not run in so few cases; nothing differs");
    }
    let kernels = report.kernels.len();
    let runs = report.training.len();
    format!("{kernels} kernels and {runs} training runs agree with the core in every bit")
}
