//! The picture as text.

use super::floors::House;
use super::layout::{Item, Layout, WIDTH};
use crate::workspace::Package;
use std::fmt::Write as _;

/// Letters of a description that fit on a line of a box.
const LINE: usize = 27;
const LEADING: i32 = 15;
const HEAD: i32 = 40;
/// Between two rows.
const STOREY: i32 = 46;
const FOOT: i32 = 34;

/// Readable on white and on black alike: boxes bring their own ground.
const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1b2733}\
.name{font-size:14px;font-weight:600}.folder{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:11px;fill:#44546a}\
.what{font-size:11px}.legend{font-size:12px;fill:#6f7b89}\
rect{fill:#e9eff8;stroke:#5b7db1}path{fill:none;stroke:#6f7b89;stroke-width:1.4}.optional{stroke-dasharray:5 4}\
#tip path{fill:#6f7b89;stroke:none}";

pub(super) fn svg(packages: &[Package], folders: &[String], house: &House) -> String {
    let layout = Layout::new(house);
    let rows = Rows::new(packages, &layout);
    let height = rows.height + FOOT;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>The crates of presam and which stands on which</title>\n<style>{STYLE}</style>\n\
         <marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker>\n"
    );
    for (way, arrow) in layout.ways.iter().zip(&house.arrows) {
        let class = if arrow.optional { " class=\"optional\"" } else { "" };
        let line = line(way, &layout, &rows);
        let _ = writeln!(text, "<path{class} marker-end=\"url(#tip)\" d=\"{line}\"/>");
    }
    for item in &layout.items {
        let package = item.package.and_then(|at| packages.get(at).zip(folders.get(at)));
        if let Some((package, folder)) = package {
            room(&mut text, item, package, folder, &rows);
        }
    }
    let y = height - FOOT / 2 + 8;
    let legend = "An arrow: stands on. Dashed: only with a feature. What follows from other arrows is left out.";
    let _ = writeln!(
        text,
        "<text class=\"legend\" x=\"{}\" y=\"{y}\" text-anchor=\"middle\">{legend}</text>",
        WIDTH / 2
    );
    text + "</svg>\n"
}

/// The upper and lower edge of each floor's boxes.
struct Rows {
    edges: Vec<(i32, i32)>,
    height: i32,
}

impl Rows {
    fn new(packages: &[Package], layout: &Layout) -> Self {
        let mut y = 8;
        let mut edges = Vec::new();
        for floor in (0..layout.floors()).rev() {
            let boxes = layout.items.iter().filter(|item| item.floor == floor);
            let described = boxes.filter_map(|item| packages.get(item.package?));
            let lines = described.map(|package| wrapped(&package.description).len()).max();
            let tall = HEAD + LEADING * i32::try_from(lines.unwrap_or(0)).unwrap_or(0);
            edges.push((y, y + tall));
            y += tall + STOREY;
        }
        edges.reverse();
        Self { edges, height: y - STOREY }
    }

    fn of(&self, item: &Item) -> (i32, i32) {
        self.edges.get(item.floor).copied().unwrap_or_default()
    }
}

/// A box with its name, its folder and what it is.
fn room(text: &mut String, item: &Item, package: &Package, folder: &str, rows: &Rows) {
    let (top, bottom) = rows.of(item);
    let (left, x) = (item.x - item.width / 2, item.x - item.width / 2 + 9);
    let (width, tall) = (item.width, bottom - top);
    let _ = writeln!(
        text,
        "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{tall}\" rx=\"6\"/>"
    );
    let name = escaped(&package.name);
    let _ = write!(text, "<text class=\"name\" x=\"{x}\" y=\"{}\">{name}</text>", top + 18);
    let folder = escaped(folder);
    let _ = writeln!(text, "<text class=\"folder\" x=\"{x}\" y=\"{}\">{folder}/</text>", top + 32);
    let lines = wrapped(&package.description).into_iter();
    for (line, y) in lines.zip((top + 48..).step_by(LEADING.unsigned_abs() as usize)) {
        let _ =
            writeln!(text, "<text class=\"what\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(&line));
    }
}

/// From box to box: bent between two rows, straight down through a row.
fn line(way: &[usize], layout: &Layout, rows: &Rows) -> String {
    let mut line = String::new();
    for step in way.windows(2) {
        let [Some(upper), Some(lower)] =
            [step.first(), step.last()].map(|at| layout.items.get(*at?))
        else {
            continue;
        };
        let (from, to) = (door(upper, step, layout), door(lower, step, layout));
        let (start, end) = (rows.of(upper).1, rows.of(lower).0);
        let bend = (start + end) / 2;
        if line.is_empty() {
            let _ = write!(line, "M{from} {start}");
        }
        let _ = write!(line, "C{from} {bend} {to} {bend} {to} {end}");
        if lower.package.is_none() {
            let _ = write!(line, "V{}", rows.of(lower).1);
        }
    }
    line
}

/// Where a step of an arrow meets an item: the arrows of one side share its middle third, in the order of
/// where they come from.
fn door(item: &Item, step: &[usize], layout: &Layout) -> i32 {
    let is = |index: usize| layout.items.get(index).is_some_and(|other| std::ptr::eq(other, item));
    let steps = layout.ways.iter().flat_map(|way| way.windows(2));
    let end = usize::from(step.first().is_none_or(|&first| !is(first)));
    let mut far: Vec<(i32, &[usize])> = steps
        .filter(|other| other.get(end).is_some_and(|&at| is(at)))
        .filter_map(|other| Some((layout.items.get(*other.get(1 - end)?)?.x, other)))
        .collect();
    far.sort_unstable();
    let place = far.iter().position(|(_, other)| *other == step).unwrap_or(0);
    let (place, count) = (i32::try_from(place).unwrap_or(0), i32::try_from(far.len()).unwrap_or(1));
    item.x + (2 * place - count + 1) * item.width / 3 / count.max(1) / 2 * i32::from(count > 1)
}

/// Words in lines that fit a box.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.len() + 1 + word.len() <= LINE) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
