//! [`compare`]: two records row by row, whoever wrote them.
//!
//! ```text
//! ratio    = median here / median there
//! low, high = p05 here / p95 there, p95 here / p05 there      every ratio that the quantiles allow
//! FAST         high < 1                       the intervals lie apart, ours below
//! SLOW         low > 1                        apart, ours above
//! SAME         they overlap, and [low, high] lies within a tenth of 1
//! CANNOT TELL  they overlap, and the samples scatter too far to exclude a tenth
//! ```

use serde::Serialize;

use super::record::{Measurement, Record};
use super::table::time;
use crate::show::table::{Column, Table};
use crate::show::view::View;

const COLUMNS: [Column; 8] = [
    Column::left("row"),
    Column::left("there").leaves(1),
    Column::left("verdict"),
    Column::right("ratio"),
    Column::right("by quantiles").leaves(4),
    Column::right("here").leaves(2),
    Column::right("there").leaves(3),
    Column::right("copy").leaves(5),
];

/// A difference that nobody acts on.
const ALIKE: f64 = 1.1;

/// What the quantiles of two rows say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// Faster than the other.
    #[serde(rename = "FAST")]
    Fast,
    /// Slower than the other.
    #[serde(rename = "SLOW")]
    Slow,
    /// Within a tenth of each other.
    #[serde(rename = "SAME")]
    Same,
    /// The samples scatter too far.
    #[serde(rename = "CANNOT TELL")]
    CannotTell,
}

impl Verdict {
    /// From the lowest and highest ratio that the quantiles allow.
    fn of(low: f64, high: f64) -> Self {
        if high < 1.0 {
            Self::Fast
        } else if low > 1.0 {
            Self::Slow
        } else if low >= 1.0 / ALIKE && high <= ALIKE {
            Self::Same
        } else {
            Self::CannotTell
        }
    }

    /// As it stands in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "FAST",
            Self::Slow => "SLOW",
            Self::Same => "SAME",
            Self::CannotTell => "CANNOT TELL",
        }
    }
}

/// One row here and one of the same name there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Phase, rule, shape, cache, graph.
    pub name: String,
    /// Who ran there.
    pub program: String,
    /// The median here, in nanoseconds.
    pub here_ns: f64,
    /// The median there.
    pub there_ns: f64,
    /// Here / there.
    pub ratio: f64,
    /// The lowest ratio that the quantiles allow.
    pub low: f64,
    /// The highest.
    pub high: f64,
    /// The same ratio of the copies, byte for byte: what the machine did meanwhile.
    pub copy_ratio: f64,
    /// FAST, SLOW, SAME or CANNOT TELL.
    pub verdict: Verdict,
}

/// Two records side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What differs between the machines, a line each.
    pub notes: Vec<String>,
    /// Rows that both have; one for each program there.
    pub rows: Vec<Compared>,
    /// Rows here without one there.
    pub only_here: usize,
    /// Rows there without one here.
    pub only_there: usize,
}

/// Compares `here` with `there`.
pub fn compare(here: &Record, there: &Record) -> Comparison {
    let mut rows = Vec::new();
    let mut only_here = 0;
    for ours in &here.measurements {
        let name = ours.name();
        let before = rows.len();
        let same = there.measurements.iter().filter(|theirs| theirs.name() == name);
        rows.extend(same.map(|theirs| compared(ours, theirs)));
        only_here += usize::from(rows.len() == before);
    }
    let names: Vec<String> = here.measurements.iter().map(Measurement::name).collect();
    let unmatched = |row: &&Measurement| !names.contains(&row.name());
    let only_there = there.measurements.iter().filter(unmatched).count();
    Comparison { notes: notes(here, there), rows, only_here, only_there }
}

fn compared(ours: &Measurement, theirs: &Measurement) -> Compared {
    let (low, high) = (ours.p05_ns / theirs.p95_ns, ours.p95_ns / theirs.p05_ns);
    let byte = |row: &Measurement| row.copy_p50_ns / row.copy_bytes as f64;
    Compared {
        name: ours.name(),
        program: theirs.program.clone(),
        here_ns: ours.p50_ns,
        there_ns: theirs.p50_ns,
        ratio: ours.p50_ns / theirs.p50_ns,
        low,
        high,
        copy_ratio: byte(ours) / byte(theirs),
        verdict: Verdict::of(low, high),
    }
}

/// Rows of unlike machines are compared all the same; a reader must know.
fn notes(here: &Record, there: &Record) -> Vec<String> {
    let (a, b) = (&here.header, &there.header);
    let driver = |driver: &Option<String>| driver.clone().unwrap_or_else(|| "none".to_owned());
    let pairs = [
        ("device", a.device.clone(), b.device.clone()),
        ("driver", driver(&a.driver), driver(&b.driver)),
        ("threads", a.host.threads.to_string(), b.host.threads.to_string()),
    ];
    let differing = pairs.into_iter().filter(|(_, a, b)| a != b);
    differing.map(|(what, a, b)| format!("{what} here {a}, there {b}")).collect()
}

/// The comparison as a table, with a line on what has no counterpart.
pub fn compared_table(comparison: &Comparison, file: &str, view: View) -> String {
    let mut text = format!("\ncompared with {file} (time here / there; below 1 is faster here)\n");
    for note in &comparison.notes {
        text += &format!("note: {note}\n");
    }
    let cells: Vec<Vec<String>> = comparison
        .rows
        .iter()
        .map(|row| {
            vec![
                row.name.clone(),
                row.program.clone(),
                row.verdict.name().to_owned(),
                format!("{:.2}", row.ratio),
                format!("{:.2} to {:.2}", row.low, row.high),
                time(row.here_ns),
                time(row.there_ns),
                format!("{:.2}", row.copy_ratio),
            ]
        })
        .collect();
    text += &Table::new(COLUMNS).section("", cells).text(view);
    let Comparison { only_here, only_there, .. } = comparison;
    if *only_here + *only_there > 0 {
        text += &format!("without a counterpart: {only_here} rows here, {only_there} there\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fake::record;
    use super::*;

    /// The fake record's only plain warm row with other quantiles, `there` in units of its own 360 us.
    fn planted(p05: f64, p50: f64, p95: f64) -> Compared {
        let here = record("1e4", "^step/sam/");
        let mut there = here.clone();
        let row = &mut there.measurements[0];
        (row.p05_ns, row.p50_ns, row.p95_ns) = (3.6e5 * p05, 3.6e5 * p50, 3.6e5 * p95);
        compare(&here, &there).rows[0].clone()
    }

    #[test]
    fn each_verdict_where_it_was_planted() {
        let cases = [
            ((1.01, 1.5, 2.0), Verdict::Fast),
            ((0.4, 0.5, 0.99), Verdict::Slow),
            ((0.95, 1.0, 1.05), Verdict::Same),
            ((0.95, 1.0, 1.2), Verdict::CannotTell),
            ((0.5, 1.0, 1.05), Verdict::CannotTell),
            // Touching intervals do not lie apart.
            ((1.0, 1.5, 2.0), Verdict::CannotTell),
            ((1.0, 1.0, 1.0), Verdict::Same),
        ];
        for ((p05, p50, p95), verdict) in cases {
            let found = planted(p05, p50, p95);
            assert_eq!(found.verdict, verdict, "{found:?}");
            assert!((found.ratio - 1.0 / p50).abs() < 1e-12);
        }
    }

    #[test]
    fn rows_are_matched_by_name_and_what_has_no_counterpart_is_counted() {
        let here = record("1e4", "^step/(sam|asam)/");
        let mut there = record("1e4,640", "^step/sam/");
        for row in &mut there.measurements {
            row.program = "torch-eager".into();
            row.copy_p50_ns *= 2.0;
        }
        let mut second = there.measurements[0].clone();
        second.program = "torch-foreach".into();
        there.measurements.push(second);
        let comparison = compare(&here, &there);
        let found: Vec<(&str, &str)> =
            comparison.rows.iter().map(|row| (row.name.as_str(), row.program.as_str())).collect();
        let name = "step/sam/1e4 warm";
        assert_eq!(found[..2], [(name, "torch-eager"), (name, "torch-foreach")]);
        assert_eq!(found.len(), 5);
        assert_eq!((comparison.only_here, comparison.only_there), (4, 4));
        assert_eq!(comparison.rows[0].copy_ratio, 0.5);
        let text = compared_table(&comparison, "peer.json", View::PLAIN);
        assert!(text.contains("\nstep/sam/1e4 warm        torch-eager    SAME"), "{text}");
        assert!(text.contains("without a counterpart: 4 rows here, 4 there\n"), "{text}");
    }

    #[test]
    fn unlike_machines_are_named() {
        let here = record("640", "restore");
        let mut there = here.clone();
        assert!(compare(&here, &there).notes.is_empty());
        there.header.device = "cuda:0 other".into();
        there.header.driver = None;
        let notes = compare(&here, &there).notes;
        assert_eq!(notes, ["device here fake, there cuda:0 other", "driver here 1.0, there none"]);
    }
}
