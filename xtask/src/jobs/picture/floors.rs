//! The house as a graph: which crate stands on which floor, and the arrows worth drawing.

use crate::workspace::Package;
use std::collections::{BTreeMap, BTreeSet};

/// An arrow from a crate down to one that it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Only a feature brings it.
    pub(super) optional: bool,
}

/// Numbers are places in the list of packages.
#[derive(Debug)]
pub(super) struct House {
    /// Of each package, 0 for one that stands on none.
    pub(super) floors: Vec<usize>,
    /// Without those that follow from others.
    pub(super) arrows: Vec<Arrow>,
}

impl House {
    /// Fails where packages stand on each other in a circle.
    pub(super) fn new(packages: &[Package]) -> Result<Self, String> {
        let all = arrows(packages);
        let floors = floors(packages.len(), &all)?;
        let follows = |arrow: &&Arrow| {
            let firsts =
                all.iter().filter(|first| first.from == arrow.from && first.to != arrow.to);
            !firsts.into_iter().any(|first| below(first.to, &all).contains(&arrow.to))
        };
        let arrows = all.iter().filter(follows).cloned().collect();
        Ok(Self { floors, arrows })
    }
}

fn arrows(packages: &[Package]) -> Vec<Arrow> {
    let places: BTreeMap<&str, usize> = packages
        .iter()
        .enumerate()
        .map(|(place, package)| (package.name.as_str(), place))
        .collect();
    let mut arrows = Vec::new();
    for (from, package) in packages.iter().enumerate() {
        for dependency in package.dependencies.iter().filter(|dependency| dependency.ours) {
            let optional = dependency.optional;
            let Some(&to) = places.get(dependency.name.as_str()) else { continue };
            // A crate may be named again for some targets, with more features.
            let known =
                arrows.iter_mut().find(|arrow: &&mut Arrow| (arrow.from, arrow.to) == (from, to));
            match known {
                Some(arrow) => arrow.optional &= optional,
                None => arrows.push(Arrow { from, to, optional }),
            }
        }
    }
    arrows
}

/// One above the highest that a package stands on.
fn floors(count: usize, arrows: &[Arrow]) -> Result<Vec<usize>, String> {
    let mut floors = vec![0; count];
    // Without a circle each round settles one floor more.
    for _ in 0..=count {
        let old = floors.clone();
        for arrow in arrows {
            let above = old.get(arrow.to).map_or(0, |floor| floor + 1);
            if let Some(floor) = floors.get_mut(arrow.from) {
                *floor = above.max(*floor);
            }
        }
        if old == floors {
            return Ok(floors);
        }
    }
    Err("packages stand on each other in a circle".into())
}

/// A package and all that it stands on.
fn below(place: usize, arrows: &[Arrow]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![place];
    while let Some(place) = open.pop() {
        if found.insert(place) {
            open.extend(arrows.iter().filter(|arrow| arrow.from == place).map(|arrow| arrow.to));
        }
    }
    found
}
