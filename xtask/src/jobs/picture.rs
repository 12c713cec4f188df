//! docs/architecture.svg: the crates, floor above floor, drawn from their manifests.

mod layout;

use crate::command::{Outcome, kept, root};
use crate::workspace::{self, Package};
use layout::{Layout, Spot, WIDTH};
use std::path::Path;

const FILE: &str = "docs/architecture.svg";

/// Letters of a description that fit on a line of a box.
const LINE: usize = 27;
const LEADING: usize = 15;
const HEAD: usize = 40;
/// Between two rows, and below the last.
const STOREY: usize = 46;
const FOOT: usize = 34;

/// Readable on white and on black alike: boxes bring their own ground.
const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1b2733}\
.name{font-size:14px;font-weight:600}.folder{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:11px;fill:#44546a}\
.what{font-size:11px}.legend{font-size:12px;fill:#6f7b89;text-anchor:middle}\
rect{fill:#e9eff8;stroke:#5b7db1}path{fill:none;stroke:#6f7b89;stroke-width:1.4}.optional{stroke-dasharray:5 4}\
#tip path{fill:#6f7b89;stroke:none}";

/// Writes the picture, or says that it is stale.
pub(crate) fn picture(check_only: bool) -> Outcome {
    kept(FILE, &drawn(&workspace::all()?, &root())?, check_only, "cargo xtask picture")
}

fn drawn(packages: &[Package], root: &Path) -> Result<String, String> {
    let layout = Layout::new(packages)?;
    let described = packages.iter().map(|package| wrapped(package.description.as_deref()));
    let lines = described.map(|lines| lines.len()).max().unwrap_or(0);
    let tall = HEAD + LEADING * lines;
    let rows = layout.spots.iter().map(|spot| spot.floor + 1).max().unwrap_or(0);
    let height = 8 + rows * (tall + STOREY) - STOREY + FOOT;
    let top = |spot: &Spot| 8 + (rows - 1 - spot.floor) * (tall + STOREY);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>The crates of presam and which stands on which</title>\n<style>{STYLE}</style>\n\
         <marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker>\n"
    );
    for (way, optional) in &layout.ways {
        let spots: Vec<&Spot> = way.iter().map(|&at| &layout.spots[at]).collect();
        let mut line = format!("M{} {}", spots[0].x, top(spots[0]) + tall);
        for step in spots.windows(2) {
            // Bent between two rows, straight down through a row.
            let (from, to, start, end) = (step[0].x, step[1].x, top(step[0]) + tall, top(step[1]));
            let bend = (start + end) / 2;
            line += &format!("V{start}C{from} {bend} {to} {bend} {to} {end}");
        }
        let class = if *optional { " class=\"optional\"" } else { "" };
        text += &format!("<path{class} marker-end=\"url(#tip)\" d=\"{line}\"/>\n");
    }
    for (package, spot) in packages.iter().zip(&layout.spots) {
        text += &room(package, root, spot, top(spot), tall);
    }
    let (x, y) = (WIDTH / 2, height - FOOT / 2 + 8);
    let legend = "An arrow: stands on. Dashed: only with a feature. What follows from other arrows is left out.";
    Ok(format!("{text}<text class=\"legend\" x=\"{x}\" y=\"{y}\">{legend}</text>\n</svg>\n"))
}

/// A box with its name, its folder and what it is.
fn room(package: &Package, root: &Path, spot: &Spot, top: usize, tall: usize) -> String {
    let (left, width) = (spot.x - spot.width / 2, spot.width);
    let folder = package.dir().strip_prefix(root).unwrap_or(package.dir()).display().to_string();
    let head = [("name", package.name.clone(), 18), ("folder", folder + "/", 32)].into_iter();
    let lines = wrapped(package.description.as_deref()).into_iter().zip((48..).step_by(LEADING));
    let words = head.chain(lines.map(|(line, below)| ("what", line, below)));
    let words = words.map(|(class, word, below)| {
        let word = word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let (x, y) = (left + 9, top + below);
        format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{word}</text>\n")
    });
    let walls = format!("x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{tall}\" rx=\"6\"");
    format!("<rect {walls}/>\n{}", words.collect::<String>())
}

/// Words in lines that fit a box.
fn wrapped(text: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.unwrap_or_default().split_whitespace() {
        match lines.last_mut().filter(|line| line.len() + 1 + word.len() <= LINE) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packages by name, with the names they stand on; a `?` marks a dependency that a feature brings.
    fn packages(rows: &[(&str, &[&str])]) -> Vec<Package> {
        let dependency = |name: &&str| {
            serde_json::json!({
                "name": name.trim_end_matches('?'), "optional": name.ends_with('?'), "path": "/x",
            })
        };
        let package = |(name, on): &(&str, &[&str])| {
            serde_json::from_value(serde_json::json!({
                "name": name, "description": "What it is & does", "targets": [], "features": {},
                "manifest_path": format!("/x/{name}/Cargo.toml"),
                "dependencies": on.iter().map(dependency).collect::<Vec<_>>(),
            }))
        };
        rows.iter().map(|row| package(row).unwrap()).collect()
    }

    const SAMPLE: [(&str, &[&str]); 5] = [
        ("core", &[]),
        ("machine", &[]),
        ("kernels", &["core"]),
        ("device", &["core", "kernels", "machine?"]),
        ("program", &["device", "core", "machine"]),
    ];

    #[test]
    fn floors_and_arrows_are_those_of_the_manifests() {
        let layout = Layout::new(&packages(&SAMPLE)).unwrap();
        let floors = layout.spots.iter().map(|spot| spot.floor).take(5);
        assert_eq!(Vec::from_iter(floors), [0, 0, 1, 2, 3]);
        let ends = |way: &[usize]| (way[0], way[way.len() - 1]);
        let arrows = layout.ways.iter().map(|(way, optional)| (ends(way), *optional));
        let expected = [((2, 0), false), ((3, 1), true), ((3, 2), false), ((4, 3), false)];
        assert_eq!(Vec::from_iter(arrows), expected);
        let circle = packages(&[("a", &["b"]), ("b", &["a"])]);
        assert!(drawn(&circle, Path::new("/x")).unwrap_err().contains("circle"));
    }

    #[test]
    fn boxes_and_passing_arrows_do_not_touch() {
        for packages in [packages(&SAMPLE), workspace::all().unwrap()] {
            let spots = Layout::new(&packages).unwrap().spots;
            for (index, spot) in spots.iter().enumerate() {
                assert!(spot.x >= spot.width / 2 && spot.x + spot.width / 2 <= WIDTH, "{spot:?}");
                for other in spots[..index].iter().filter(|other| other.floor == spot.floor) {
                    let apart = spot.x.abs_diff(other.x) > (spot.width + other.width) / 2;
                    assert!(apart, "{spot:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn a_change_of_the_manifests_shows() {
        let drawn = |rows: &[(&str, &[&str])]| drawn(&packages(rows), Path::new("/x")).unwrap();
        let picture = drawn(&SAMPLE);
        assert_eq!(picture, drawn(&SAMPLE));
        assert!(picture.contains("What it is &amp; does"));
        assert_eq!(picture.matches("marker-end").count(), 4);
        assert_eq!(picture.matches("class=\"optional\"").count(), 1);
        let mut always = SAMPLE;
        always[3].1 = &["core", "kernels", "machine"];
        let mut renamed = SAMPLE;
        renamed[4].0 = "programs";
        for changed in [&SAMPLE[..4], &always, &renamed] {
            assert_ne!(picture, drawn(changed));
        }
    }
}
