//! Which crate may stand on which, and on what from outside.

use crate::workspace::{Package, below};
use std::collections::BTreeSet;

/// A crate, the crates of ours it may stand on, and those that only a feature may bring. What those stand
/// on it may name too. A dependency of tests alone is free: no user builds it.
const ARROWS: &[(&str, &[&str], &[&str])] = &[
    ("presam", &[], &[]),
    ("presam-model", &[], &[]),
    ("ptx-machine", &[], &[]),
    ("presam-oracle", &[], &[]),
    ("presam-kernels", &["presam", "presam-model"], &[]),
    ("presam-cuda", &["presam", "presam-kernels"], &["presam-model", "ptx-machine"]),
    ("presam-conformance", &["presam-oracle"], &[]),
    ("presam-backends", &["presam", "presam-conformance"], &["presam-cuda"]),
    ("presam-pipe", &["presam-backends"], &[]),
    ("presam-capi", &["presam"], &[]),
    ("presam-bridge", &["presam"], &[]),
    ("presam-python", &["presam-bridge"], &[]),
    ("presam-python-cuda", &["presam-bridge", "presam-cuda"], &[]),
    ("presam-bandwidth", &[], &[]),
    ("presam-program", &["presam-pipe", "presam-bandwidth"], &[]),
    ("presam-tests", &["presam-backends", "presam-program"], &[]),
    ("presam-judge", &["presam-backends"], &[]),
    ("presam-benches", &["presam"], &[]),
    ("presam-fuzz", &["presam-capi", "presam-tests"], &[]),
    ("xtask", &["presam", "presam-kernels"], &[]),
];

/// The device library by default: the step and its kernels, and nothing from outside.
const DEVICE: (&str, [&str; 2]) = ("presam-cuda", ["presam", "presam-kernels"]);

/// The faults of one package.
pub(super) fn faults(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let Some((_, always, by_feature)) = ARROWS.iter().find(|(row, ..)| *row == name) else {
        return vec![format!("expected a crate of the table of arrows, found {name}")];
    };
    let allowed = below(name, &arrows());
    let mut faults = Vec::new();
    for (on, optional) in package.ours() {
        if !allowed.contains(on) {
            let expected = allowed.iter().copied().collect::<Vec<_>>().join(", ");
            let expected = if expected.is_empty() { "nothing of ours" } else { &expected };
            faults.push(format!("{name} may stand on {expected}; found {on}"));
        } else if by_feature.contains(&on) && !always.contains(&on) && !optional {
            faults.push(format!(
                "{on}: expected an optional dependency, found one that is always there"
            ));
        }
    }
    let found = package.by_default();
    if name == DEVICE.0 && found != BTreeSet::from(DEVICE.1) {
        let found = Vec::from_iter(found).join(", ");
        let expected = DEVICE.1.join(", ");
        faults.push(format!("expected the default dependencies {expected}, found {found}"));
    }
    faults
}

fn arrows() -> Vec<(&'static str, &'static str)> {
    let row = |(name, always, by_feature): &(&'static str, &'static [&str], &'static [&str])| {
        let name = *name;
        always.iter().chain(*by_feature).map(move |on| (name, *on))
    };
    ARROWS.iter().flat_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_circle_and_each_name_its_row() {
        for (name, on) in arrows() {
            assert!(!below(on, &arrows()).contains(name), "{name}");
            assert!(ARROWS.iter().any(|(row, ..)| *row == on), "{on}");
        }
    }
}
