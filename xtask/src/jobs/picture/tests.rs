//! The picture says what the manifests say, and nothing in it lies over another thing.

use super::layout::{Layout, WIDTH};
use super::*;
use crate::workspace::Dependency;

/// Packages by name, with the names they stand on; a `?` marks a dependency that a feature brings.
fn packages(rows: &[(&str, &[&str])]) -> Vec<Package> {
    let dependency = |name: &&str| Dependency {
        name: name.trim_end_matches('?').to_owned(),
        optional: name.ends_with('?'),
        ours: true,
    };
    let package = |(name, on): &(&str, &[&str])| {
        let dependencies = on.iter().map(dependency).collect();
        Package::planted(name, "What it is & does", dependencies)
    };
    rows.iter().map(package).collect()
}

fn sample() -> Vec<Package> {
    packages(&[
        ("core", &[]),
        ("machine", &[]),
        ("kernels", &["core"]),
        ("device", &["core", "kernels", "machine?"]),
        ("program", &["device", "core", "machine"]),
    ])
}

#[test]
fn floors_and_arrows_are_those_of_the_manifests() {
    let house = House::new(&sample()).unwrap();
    assert_eq!(house.floors, [0, 0, 1, 2, 3]);
    let arrows = house.arrows.iter().map(|arrow| (arrow.from, arrow.to, arrow.optional));
    assert_eq!(Vec::from_iter(arrows), [(2, 0, false), (3, 2, false), (3, 1, true), (4, 3, false)]);
    let circle = packages(&[("a", &["b"]), ("b", &["a"])]);
    assert!(House::new(&circle).unwrap_err().contains("circle"));
}

#[test]
fn boxes_and_passing_arrows_do_not_touch() {
    for packages in [sample(), workspace::all().unwrap()] {
        let layout = Layout::new(&House::new(&packages).unwrap());
        for (index, item) in layout.items.iter().enumerate() {
            assert!(*item.span().start() >= 0 && *item.span().end() <= WIDTH, "{item:?}");
            let row = layout.items.iter().skip(index + 1).filter(|one| one.floor == item.floor);
            for other in row {
                let apart = item.span().end() < other.span().start()
                    || other.span().end() < item.span().start();
                assert!(apart, "{item:?} {other:?}");
            }
        }
    }
}

#[test]
fn a_change_of_the_manifests_shows() {
    let drawn = |packages: &[Package]| drawn(packages, Path::new("/x")).unwrap();
    let picture = drawn(&sample());
    assert_eq!(picture, drawn(&sample()));
    assert!(picture.contains("What it is &amp; does"));
    assert_eq!(picture.matches("marker-end").count(), 4);
    assert_eq!(picture.matches("class=\"optional\"").count(), 1);
    let changes: [fn(&mut Vec<Package>); 3] = [
        |packages| packages.truncate(4),
        |packages| packages[3].description += " well",
        |packages| packages[3].dependencies[2].optional = false,
    ];
    for change in changes {
        let mut changed = sample();
        change(&mut changed);
        assert_ne!(picture, drawn(&changed));
    }
}
