//! Whether a crate outside gets the library's speed whatever its manifest says.
//!
//! What a loop calls for every element must be inlined into it, and across crates that depends on the
//! profile: without link-time optimization (`lto = "off"`) only what is marked `#[inline]`, or has no call
//! left to make, is. A step was 90 times slower there once. `xtask/stranger` is built under each profile of
//! its manifest; the runs are interleaved and the best of each is taken, so that a busy machine slows all
//! alike.

use crate::command::{Outcome, Run, job_dir, root};
use std::collections::BTreeMap;
use std::path::Path;

/// The profiles in the manifest of `xtask/stranger`.
const PROFILES: [&str; 5] = ["default", "thin", "off", "one", "incremental"];
const ROUNDS: usize = 5;
/// Slower than the best profile by more is a fault: the layout of code alone makes some hundredths.
const MOST: f64 = 1.2;

/// Nanoseconds of a step, by its form and size.
type Times = BTreeMap<String, f64>;

pub(crate) fn profiles() -> Outcome {
    let dir = job_dir("profiles")?;
    build(&dir, "off", "planted")?;
    let planted = times(&dir, "off")?;
    for profile in PROFILES {
        build(&dir, profile, "")?;
    }
    let mut all: BTreeMap<&str, Times> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for profile in PROFILES {
            let best = all.entry(profile).or_default();
            for (step, time) in times(&dir, profile)? {
                best.entry(step).and_modify(|best| *best = best.min(time)).or_insert(time);
            }
        }
    }
    let with_planted = all.clone().into_iter().chain([("planted", planted)]).collect();
    match judge(&with_planted) {
        Err(faults) if faults.contains("planted") => eprintln!("planted: caught"),
        other => return Err(format!("planted was not caught: {other:?}")),
    }
    judge(&all).map(|table| eprint!("{table}"))
}

fn build(dir: &Path, profile: &str, features: &str) -> Outcome {
    let run = Run::cargo().args(["build", "--profile", profile, "--features", features]);
    let run = run.env("CARGO_TARGET_DIR", &dir.to_string_lossy());
    run.dir(&root().join("xtask/stranger")).run()
}

fn times(dir: &Path, profile: &str) -> Result<Times, String> {
    let program = dir.join(profile).join("stranger");
    let text = Run::program(&program).output();
    let text = text.ok_or_else(|| format!("{} failed", program.display()))?;
    let line = |line: &str| {
        let (step, time) = line.rsplit_once(' ')?;
        Some((step.to_owned(), time.parse().ok()?))
    };
    let times: Option<Times> = text.lines().map(line).collect();
    times.filter(|times| !times.is_empty()).ok_or_else(|| format!("expected times, found {text}"))
}

/// The table of times, or the steps that are slower than the best profile's allow.
fn judge(all: &BTreeMap<&str, Times>) -> Result<String, String> {
    let (mut table, mut faults) = (String::new(), Vec::new());
    let steps = all.values().flat_map(|times| times.keys());
    for step in steps.collect::<std::collections::BTreeSet<_>>() {
        let of = |times: &Times| times.get(step).copied().unwrap_or(f64::INFINITY);
        let best = all.values().map(of).fold(f64::INFINITY, f64::min);
        for (profile, times) in all {
            let ratio = of(times) / best;
            table += &format!("{step:<16} {profile:<12} {:>10.1} ns  x {ratio:.2}\n", of(times));
            if ratio > MOST || ratio.is_nan() {
                faults.push(format!("{step} under {profile} takes {ratio:.1} times the best"));
            }
        }
    }
    if faults.is_empty() { Ok(table) } else { Err(format!("{table}{}", faults.join("\n"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_profile_and_a_step_that_is_not_told_are_faults() {
        let times = |ns: f64| Times::from([("typed 640".to_owned(), ns)]);
        let even = BTreeMap::from([("thin", times(100.0)), ("off", times(119.0))]);
        assert!(judge(&even).unwrap().contains("x 1.19"));
        let slow = BTreeMap::from([("thin", times(100.0)), ("off", times(9000.0))]);
        assert!(judge(&slow).unwrap_err().contains("typed 640 under off takes 90.0 times"));
        let missing = BTreeMap::from([("thin", times(100.0)), ("off", Times::new())]);
        assert!(judge(&missing).is_err());
    }
}
