//! Which crate may stand on which.

use super::Fault;
use crate::workspace::Package;
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
    ("presam-backends", &["presam", "presam-cuda", "presam-conformance"], &[]),
    ("presam-capi", &["presam"], &[]),
    ("presam-python", &["presam", "presam-cuda"], &[]),
    ("presam-program", &["presam-backends"], &[]),
    ("presam-tests", &["presam-backends", "presam-program"], &[]),
    ("presam-fuzz", &["presam-backends", "presam-program"], &[]),
    ("xtask", &["presam", "presam-kernels"], &[]),
];

pub(super) fn faults(packages: &[Package]) -> Vec<Fault> {
    packages.iter().flat_map(of_package).collect()
}

fn of_package(package: &Package) -> Vec<Fault> {
    let fault = |what| Fault { place: package.dir.join("Cargo.toml"), what };
    let Some((_, always, by_feature)) = ARROWS.iter().find(|(name, ..)| *name == package.name)
    else {
        let what = format!("expected a crate of the table of arrows, found {}", package.name);
        return vec![fault(what)];
    };
    let mut allowed = below(always);
    let optional = below(by_feature);
    // What stands below a dependency that is always there needs no feature.
    let needs_feature: BTreeSet<&str> =
        by_feature.iter().copied().filter(|name| !always.contains(name)).collect();
    allowed.extend(&optional);
    let ours = package.dependencies.iter().filter(|dependency| dependency.ours);
    let faults = ours.filter_map(|dependency| {
        let name = dependency.name.as_str();
        if !allowed.contains(name) {
            let expected = allowed.iter().copied().collect::<Vec<_>>().join(", ");
            let expected = if expected.is_empty() { "nothing of ours" } else { &expected };
            Some(format!("{} may stand on {expected}; found {name}", package.name))
        } else if needs_feature.contains(name) && !dependency.optional {
            Some(format!("{name}: expected an optional dependency, found one that is always there"))
        } else {
            None
        }
    });
    faults.map(fault).collect()
}

/// The crates of a list and all that they may stand on.
fn below(names: &[&'static str]) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut open = names.to_vec();
    while let Some(name) = open.pop() {
        if found.insert(name) {
            let rows = ARROWS.iter().filter(|(of, ..)| *of == name);
            open.extend(rows.flat_map(|(_, always, by_feature)| always.iter().chain(*by_feature)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_circle_and_each_name_its_row() {
        for (name, always, by_feature) in ARROWS {
            let under = below(&[*always, *by_feature].concat());
            assert!(!under.contains(name), "{name}");
            assert!(under.iter().all(|one| ARROWS.iter().any(|(of, ..)| of == one)), "{name}");
        }
    }
}
