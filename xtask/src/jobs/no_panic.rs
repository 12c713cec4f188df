//! The bare object of every phase with every variant: no panic in it, no fused instruction.
//!
//! `xtask/bare-probe` hands every phase slices and values that the compiler cannot know. Compiled as
//! one object with fat link-time optimization, a panic that some input reaches is a call into
//! `core::panicking`; one that the compiler refutes is gone. For speed and for size: at level `s` functions
//! are shared rather than inlined, so the compiler refutes less. A fused multiply-add would round once
//! where the bit contract says twice.

use crate::command::{Outcome, job_dir, read, root};
use crate::toolchain::Bare;
use std::collections::{BTreeMap, BTreeSet};

const TARGET: &str = "thumbv7em-none-eabihf";
/// `opt-level`; the lines that no step's entry is shorter than (one that the compiler saw to give up at once
/// is); and the probe's features: at level s the compiler does not see that the model's rows are never 0 wide.
const LEVELS: [(&str, usize, &str); 2] = [("3", 64, "model"), ("s", 24, "")];
/// Features of the probe, and the fault that each of them plants.
const PLANTED: [(&str, &str); 4] = [
    ("planted-index", "panic"),
    ("planted-erased", "panic"),
    ("planted-any", "panic"),
    ("planted-fused", "fused"),
];
/// `vmla` and `vmls` are not among them: they round the product before they add.
const FUSED: [&str; 4] = ["vfma", "vfms", "vfnma", "vfnms"];

pub(crate) fn no_panic() -> Outcome {
    let compiler = Bare::find(TARGET)?;
    LEVELS.into_iter().try_for_each(|level| no_panic_at(compiler, level))
}

fn no_panic_at(compiler: Bare, (level, least, features): (&str, usize, &str)) -> Outcome {
    let entries = entries(features);
    for (planted, fault) in PLANTED {
        let faults = faults(&object(compiler, level, planted)?);
        if !faults.iter().any(|found| found.starts_with(fault)) {
            return Err(format!(
                "{planted} was not caught at level {level}: the search finds {faults:?}"
            ));
        }
        eprintln!("level {level}: {planted}: caught");
    }
    let object = object(compiler, level, features)?;
    let bodies = bodies(&object);
    let empty: Vec<String> = entries
        .iter()
        .filter(|entry| lines_of(entry, &bodies) < least_of(entry, least))
        .cloned()
        .collect();
    if !empty.is_empty() {
        return Err(format!("the object of level {level} lacks the body of {}", empty.join(", ")));
    }
    let (faults, count) = (faults(&object), entries.len());
    if faults.is_empty() {
        eprintln!("level {level}: {count} entries: no panic, no fused instruction");
        return Ok(());
    }
    let list: String = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    Err(format!("{} faults in the object of level {level}:{list}", faults.len()))
}

/// An erased step sets its call up and hands it over; every other one has its step in it.
fn least_of(entry: &str, least: usize) -> usize {
    if entry.starts_with("probe_erased") { least.min(24) } else { least }
}

/// How long each function is, or of which it is the twin (`name = twin`, where two came out the same).
fn bodies(object: &str) -> BTreeMap<&str, Result<usize, &str>> {
    let mut bodies = BTreeMap::new();
    let mut function = "";
    for line in object.lines() {
        if let Some((name, twin)) = line.split_once(" = ") {
            bodies.insert(name.trim(), Err(twin.trim()));
        } else if let Some(label) = line.strip_suffix(':').filter(|label| !label.starts_with('.')) {
            function = label;
        } else if let Ok(lines) = bodies.entry(function).or_insert(Ok(0)) {
            *lines += 1;
        }
    }
    bodies
}

fn lines_of(entry: &str, bodies: &BTreeMap<&str, Result<usize, &str>>) -> usize {
    match bodies.get(entry) {
        Some(&Ok(lines)) => lines,
        Some(&Err(twin)) => bodies.get(twin).and_then(|twin| twin.ok()).unwrap_or(0),
        None => 0,
    }
}

/// The assembly text of the probe.
fn object(compiler: Bare, level: &str, feature: &str) -> Result<String, String> {
    let dir = job_dir("no-panic")?;
    // One file per compiler, level and feature: Cargo does not write it again where nothing changed.
    let file = dir.join(format!("{compiler:?}-{level}-{feature}.s"));
    let run = compiler.cargo("rustc", TARGET).args(["--release", "--features", feature]);
    let run = run.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level);
    let run = run.env("CARGO_TARGET_DIR", &dir.to_string_lossy());
    let run = run.dir(&root().join("xtask/bare-probe"));
    run.args(["--", &format!("--emit=asm={}", file.display())]).run()?;
    read(&file)
}

/// The probe's entries, by the same list as the probe.
fn entries(features: &str) -> Vec<String> {
    macro_rules! modules {
        ($($module:ident: $Variant:ident, memory $m:literal, inputs $i:literal;)*) => {
            [$((stringify!($module), $i)),*]
        };
    }
    let mut entries = Vec::new();
    for (module, inputs) in presam::for_each_variant!(modules) {
        // `FixedSam` takes variants without inputs only.
        let fixed: &[&str] = if inputs == 0 { &["fixed"] } else { &[] };
        for kind in ["phases", "erased", "session"].iter().chain(fixed) {
            entries.extend(["f32", "f64"].map(|scalar| format!("probe_{kind}_{module}_{scalar}")));
        }
    }
    for kind in ["any_phases", "any_session"] {
        entries.extend(["f32", "f64"].map(|scalar| format!("probe_{kind}_{scalar}")));
    }
    let model: &[&str] = if features == "model" { &["model"] } else { &[] };
    let helpers = ["mixes", "masks", "schedules"].iter().chain(model);
    entries.extend(helpers.map(|name| format!("probe_{name}")));
    entries
}

/// What must not be there, each with the function that holds it.
fn faults(object: &str) -> BTreeSet<String> {
    let mut function = "";
    let mut faults = BTreeSet::new();
    for line in object.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [label] if label.ends_with(':') => {
                if !label.starts_with('.') {
                    function = label.trim_end_matches(':');
                }
            }
            // Directives name sections and sizes; a panic function may stand there and be unused.
            [directive, ..] if directive.starts_with('.') => {}
            [opcode, operands @ ..] => {
                let panic = |word: &&&str| word.contains("panic") || word.contains("_fail");
                if let Some(target) = operands.iter().find(panic) {
                    faults.insert(format!("panic: {function} -> {target}"));
                }
                if FUSED.iter().any(|fused| opcode.starts_with(fused)) {
                    faults.insert(format!("fused: {opcode} in {function}"));
                }
            }
            [] => {}
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_and_a_fused_instruction_are_found_with_their_function() {
        let text = "\t.globl\tprobe_a\nprobe_a:\n.LBB0_1:\n\tvmla.f32 s0, s1, s2\n\tbl\tsafe\n\
                    probe_b:\n\tbl\t_RNv4core9panicking18panic_bounds_check\n\tvfms.f32 s0, s1, s2\n";
        let faults: Vec<String> = faults(text).into_iter().collect();
        assert_eq!(
            faults,
            [
                "fused: vfms.f32 in probe_b",
                "panic: probe_b -> _RNv4core9panicking18panic_bounds_check",
            ]
        );
    }

    #[test]
    fn a_twin_has_its_twin_s_body_and_an_absent_entry_none() {
        let text = "probe_a:\n\tbl x\n.LBB1:\n\tbx lr\n\t.globl probe_b\nprobe_b = probe_a\n";
        let bodies = bodies(text);
        assert_eq!(["probe_a", "probe_b", "probe_c"].map(|e| lines_of(e, &bodies)), [4, 4, 0]);
    }

    #[test]
    fn every_variant_has_its_entries() {
        let with_inputs = presam::variants::ALL.iter().filter(|info| info.inputs > 0).count();
        let by_name = 4;
        assert_eq!(
            entries("model").len(),
            8 * presam::variants::ALL.len() - 2 * with_inputs + by_name + 4
        );
    }
}
