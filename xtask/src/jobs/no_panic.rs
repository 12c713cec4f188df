//! The bare object of every phase with every variant: no panic in it, no fused instruction.
//!
//! `xtask/bare-probe` hands every phase slices and values that the compiler cannot know. Compiled as
//! one object with fat link-time optimization, a panic that some input reaches is a call into
//! `core::panicking`; one that the compiler refutes is gone. For speed and for size: at level `s` functions
//! are shared rather than inlined, so the compiler refutes less. A fused multiply-add would round once
//! where the bit contract says twice.

use crate::command::{Outcome, Run, root};
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
pub(super) const FUSED: [&str; 4] = ["vfma", "vfms", "vfnma", "vfnms"];

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

/// The lines of each function, or of which it is the twin (`name = twin`, where two came out the same).
fn bodies(object: &str) -> BTreeMap<&str, Result<Vec<&str>, &str>> {
    let mut bodies = BTreeMap::new();
    let mut function = "";
    for line in object.lines() {
        let twins = line.split_once(" = ").filter(|(name, _)| name.split_whitespace().count() == 1);
        if let Some((name, twin)) = twins {
            bodies.insert(name.trim(), Err(twin.trim()));
        } else if let Some(label) = line.strip_suffix(':').filter(|label| !label.starts_with('.')) {
            function = label;
        } else if let Ok(lines) = bodies.entry(function).or_insert(Ok(Vec::new())) {
            lines.push(line);
        }
    }
    bodies
}

fn lines_of(entry: &str, bodies: &BTreeMap<&str, Result<Vec<&str>, &str>>) -> usize {
    let twin = bodies.get(entry).and_then(|body| body.as_ref().err()).copied();
    let body = bodies.get(twin.unwrap_or(entry)).and_then(|body| body.as_ref().ok());
    body.map_or(0, Vec::len)
}

/// The assembly text of the probe.
fn object(compiler: Bare, level: &str, feature: &str) -> Result<String, String> {
    let what = ("no-panic", &*format!("{level}-{feature}"), TARGET);
    let set = |run: Run| {
        let run = run.args(["--features", feature]).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level);
        run.dir(&root().join("xtask/bare-probe"))
    };
    compiler.assembly(what, set, &[])
}

/// The probe's entries, by the same list as the probe.
fn entries(features: &str) -> Vec<String> {
    let mut entries = Vec::new();
    for info in presam::variants::ALL {
        let (module, inputs) = (info.name.replace('-', "_"), info.inputs);
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
    let mut faults = BTreeSet::new();
    for (function, lines) in bodies(object) {
        for line in lines.into_iter().flatten() {
            let mut words = line.split_whitespace();
            // Directives name sections and sizes; a panic function may stand there and be unused.
            let Some(opcode) = words.next().filter(|word| !word.starts_with('.')) else { continue };
            if let Some(to) = words.find(|word| word.contains("panic") || word.contains("_fail")) {
                faults.insert(format!("panic: {function} -> {to}"));
            }
            if FUSED.iter().any(|fused| opcode.starts_with(fused)) {
                faults.insert(format!("fused: {opcode} in {function}"));
            }
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
