//! No two files of a crate import each other, neither directly nor over others, and none imports from its
//! crate's first file, which is a roof: it shows what the modules below it have.

use super::Fault;
use super::tree::{Import, Tree};
use crate::workspace::Package;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

/// Every circle among the files of a package, each import told once; and every way through a roof.
pub(super) fn faults(package: &Package) -> Result<Vec<Fault>, String> {
    let short = |path: &Path| path.strip_prefix(&package.dir).unwrap_or(path).display().to_string();
    let mut faults = BTreeSet::new();
    for root in &package.roots {
        let tree = Tree::read(root)?;
        let circles = circles(tree.imports());
        let mut told: Vec<(&Path, String)> =
            circles.iter().map(|circle| (package.dir.as_path(), in_words(circle, short))).collect();
        let roofed =
            if root.ends_with("src/lib.rs") { tree.through_the_roof() } else { Vec::new() };
        told.extend(roofed.iter().map(|Import { from, line, what, .. }| {
            let what = format!(
                "line {line}: expected an import from the module that has the thing, found {what} of lib.rs"
            );
            (from.as_path(), what)
        }));
        faults.extend(told.into_iter().map(|(place, what)| Fault { place: place.into(), what }));
    }
    Ok(faults.into_iter().collect())
}

fn in_words(circle: &[Import], short: impl Fn(&Path) -> String) -> String {
    let arrow = |import: &Import| {
        let Import { from, to, line, what } = import;
        format!("{}:{line} takes {what} from {}", short(from), short(to))
    };
    let arrows: Vec<String> = circle.iter().map(arrow).collect();
    let arrows = arrows.join("; ");
    format!(
        "expected files that do not import each other, found a circle of {}: {arrows}",
        circle.len()
    )
}

/// The shortest circle, then the shortest without the imports of that one, and so on.
fn circles(mut imports: Vec<Import>) -> Vec<Vec<Import>> {
    let mut found = Vec::new();
    while let Some(circle) = shortest(&imports) {
        imports.retain(|import| !circle.contains(import));
        found.push(circle);
    }
    found
}

fn shortest(imports: &[Import]) -> Option<Vec<Import>> {
    let mut of: BTreeMap<&Path, Vec<&Import>> = BTreeMap::new();
    for import in imports {
        of.entry(&import.from).or_default().push(import);
    }
    let circles = of.keys().filter_map(|start| circle_from(start, &of));
    circles.min_by_key(Vec::len)
}

/// The shortest way from a file back to itself: a search by breadth.
fn circle_from(start: &Path, of: &BTreeMap<&Path, Vec<&Import>>) -> Option<Vec<Import>> {
    let mut came_by: BTreeMap<&Path, &Import> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for &import in of.get(file).into_iter().flatten() {
            if came_by.contains_key(import.to.as_path()) {
                continue;
            }
            came_by.insert(&import.to, import);
            if import.to == start {
                return Some(way_back(start, &came_by));
            }
            queue.push_back(&import.to);
        }
    }
    None
}

fn way_back(start: &Path, came_by: &BTreeMap<&Path, &Import>) -> Vec<Import> {
    let mut circle = Vec::new();
    let mut at = start;
    while let Some(&import) = came_by.get(at) {
        circle.push(import.clone());
        at = &import.from;
        if at == start {
            break;
        }
    }
    circle.reverse();
    circle
}
