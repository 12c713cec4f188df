//! The comparison as a table.

use super::health::{footnotes, mark};
use super::measure::Measure;
use super::records::{DataRecord, Results, Summary};
use crate::show::table::{Column, Table, or_dash, percent, short};
use crate::show::view::View;

/// What a reader can do without leaves first.
const fn columns(measure: Measure) -> [Column; 8] {
    [
        Column::left("method"),
        Column::right("rho").leaves(1),
        Column::right(measure.column()),
        Column::right("best %").leaves(3),
        Column::right("minus SAM (95 % interval)"),
        Column::right("train clean / noisy %").leaves(5),
        Column::right("sharpness").leaves(4),
        Column::right("time / SGD").leaves(2),
    ]
}

/// A section a level of label noise, best method first; a method that never moved a weight stands below, unranked.
pub fn table(results: &Results, view: View) -> String {
    let text = sections(results, results.noise_levels().len() > 1).text(view);
    let notes = footnotes(&results.summary);
    notes.iter().fold(text, |text, note| text + &view.wrapped(note, 2) + "\n")
}

/// The same, with its headings where they are wanted.
pub(super) fn sections(results: &Results, headed: bool) -> Table {
    let table = Table::new(columns(results.data.measure)).best_first();
    let levels = results.noise_levels().into_iter();
    let all = levels.fold(table, |table, level| {
        let heading = if headed { noise_line(results, level) } else { String::new() };
        let rows = ranked(&results.summary, level).into_iter().map(cells).collect();
        table.section(heading, rows)
    });
    all.without_gaps()
}

/// What was compared on what, in one line.
pub fn headline(results: &Results) -> String {
    let data = &results.data;
    let seeds: std::collections::BTreeSet<u64> = results.runs.iter().map(|run| run.seed).collect();
    let noise = match results.noise_levels().as_slice() {
        [level] => format!("; {}", noise_line(results, *level)),
        _ => String::new(),
    };
    let equal = results.settings.get("budget").and_then(serde_json::Value::as_str);
    let budget =
        if equal == Some("gradients") { "; as many gradients for each method" } else { "" };
    format!(
        "{}: {} training and {} test examples{}{noise}; {} {}{budget}",
        data.source,
        data.train_samples,
        data.test_samples,
        classes(data),
        seeds.len(),
        if seeds.len() == 1 { "seed" } else { "seeds" }
    )
}

/// The classes where they are not numbered from 0 without gaps, as a reader would take for granted.
fn classes(data: &DataRecord) -> String {
    let DataRecord { classes, smallest_label, largest_label, .. } = data;
    if usize::from(*largest_label) + 1 == *classes {
        return String::new();
    }
    format!("; {classes} classes occur, of labels {smallest_label} to {largest_label}")
}

/// A level of label noise in words: what was done to the training targets and what is wrong thereby.
pub(super) fn noise_line(results: &Results, level: f64) -> String {
    let noise = &results.data.noise;
    let wrong = noise.iter().find(|noise| noise.label_noise == level);
    let kind = results.settings.get("noise_kind").and_then(serde_json::Value::as_str);
    let (done, unit) = match (results.data.measure, kind) {
        (Measure::Accuracy, _) => ("labels redrawn", ""),
        (Measure::MeanIou, Some("rims")) => ("masks moved by a pixel or two", " of the pixels"),
        (Measure::MeanIou, _) => ("masks from another picture", " of the pixels"),
    };
    let line = format!("{} % of the training {done}", percent(level));
    match wrong {
        Some(noise) if level > 0.0 => {
            format!("{line}, {:.0} %{unit} wrong", 100.0 * noise.wrong_labels)
        }
        _ => line,
    }
}

/// The summaries of a level: ranked ones by accuracy, then the unranked.
pub(super) fn ranked(summary: &[Summary], level: f64) -> Vec<&Summary> {
    let mut rows: Vec<&Summary> = summary.iter().filter(|row| row.label_noise == level).collect();
    rows.sort_by(|a, b| {
        b.is_ranked()
            .cmp(&a.is_ranked())
            .then(b.mean_test_accuracy.total_cmp(&a.mean_test_accuracy))
    });
    rows
}

/// The cells of a row, in the order of the head.
fn cells(row: &Summary) -> Vec<String> {
    let accuracy = match row.standard_error {
        Some(error) => format!("{:.2} +- {:.2}", 100.0 * row.mean_test_accuracy, 100.0 * error),
        None => format!("{:.2}", 100.0 * row.mean_test_accuracy),
    };
    vec![
        format!("{}{}", row.method, mark(row)),
        row.rho.map_or_else(|| "-".to_owned(), short),
        accuracy,
        format!("{:.2}", 100.0 * row.best_test_accuracy),
        difference(row),
        format!(
            "{:.1} / {:.1}",
            100.0 * row.train_accuracy_clean,
            100.0 * row.train_accuracy_noisy
        ),
        or_dash(row.hessian_eigenvalue, 2),
        or_dash(row.time_per_step_over_sgd, 2),
    ]
}

fn difference(row: &Summary) -> String {
    let points = |value: f64| format!("{:+.2}", 100.0 * value);
    match (row.difference_to_sam, row.difference_to_sam_low, row.difference_to_sam_high) {
        (Some(mean), Some(low), Some(high)) => {
            format!("{} ({} to {})", points(mean), points(low), points(high))
        }
        (Some(mean), ..) => format!("{} (one seed)", points(mean)),
        _ => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn best_first_with_aligned_columns_and_the_unmoved_below() {
        let mut results = sample::results(&["sgd", "sam", "asam", "info-asam"], &[0.6], 5);
        results.summary[2].moved = false;
        results.summary[2].mean_test_accuracy = 0.999;
        let text = table(&results, View::PLAIN);
        let lines: Vec<&str> = text.lines().collect();
        let names: Vec<&str> =
            lines[1..5].iter().map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(names, ["info-asam", "sam", "sgd", "asam"]);
        assert!(lines[4].starts_with("asam *") && lines[5].starts_with("* never moved"));
        assert!(lines[..5].iter().all(|line| line.len() == lines[0].len()), "{text}");
        assert!(lines[0].len() <= 120, "{} columns", lines[0].len());
        assert!(!text.contains('\u{1b}'));
        let small = View { width: Some(80), all_columns: false, bold: false };
        let small = table(&results, small);
        assert!(small.lines().all(|line| line.len() <= 80), "{small}");
        assert!(small.contains("minus SAM") && small.contains("time / SGD"), "{small}");
        let bold = View { bold: true, ..View::PLAIN };
        assert_eq!(table(&results, bold).matches("\u{1b}[1m").count(), 2);
    }

    #[test]
    fn each_level_of_noise_has_its_own_table() {
        let results = sample::results(&["sgd", "sam"], &[0.0, 0.6], 2);
        let text = table(&results, View::PLAIN);
        assert!(text.contains("60 % of the training labels redrawn, 54 % wrong"));
        assert!(text.contains("0 % of the training labels redrawn\n"));
        assert_eq!(text.matches("test accuracy %").count(), 2);
        assert_eq!(headline(&results), "digits: 1000 training and 797 test examples; 2 seeds");
        let single = sample::results(&["sgd", "sam"], &[0.6], 1);
        assert_eq!(
            headline(&single),
            "digits: 1000 training and 797 test examples; 60 % of the training labels redrawn, 54 % wrong; 1 seed"
        );
        let mut gaps = single;
        (gaps.data.classes, gaps.data.smallest_label, gaps.data.largest_label) = (26, 1, 26);
        let said = headline(&gaps);
        assert!(said.contains("examples; 26 classes occur, of labels 1 to 26; 60 %"), "{said}");
        assert_eq!((percent(0.07), percent(0.125)), ("7".into(), "12.5".into()));
    }
}
