//! The comparison as a table for a terminal.

use super::columns::Columns;
use super::{Results, Summary};

/// Whether the table may use bold letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Letters only: for files, pipes and NO_COLOR.
    Plain,
    /// Bold head and best row: for a terminal.
    Bold,
}

const HEAD: [&str; 7] = [
    "method",
    "rho",
    "test accuracy %",
    "minus SAM (95 % interval)",
    "train clean / noisy %",
    "sharpness",
    "time / SGD",
];

/// One table a level of label noise, best method first; a method that never moved a weight stands below, unranked.
pub fn table(results: &Results, style: Style) -> String {
    let mut text = String::new();
    let levels = results.noise_levels();
    for level in &levels {
        if levels.len() > 1 {
            text += &format!("\n{}\n", noise_line(results, *level));
        }
        text += &one(&ranked(&results.summary, *level), style);
    }
    text
}

/// What was compared on what, in one line.
pub fn headline(results: &Results) -> String {
    let data = &results.data;
    let seeds: std::collections::BTreeSet<u64> = results.runs.iter().map(|run| run.seed).collect();
    let noise = match results.noise_levels().as_slice() {
        [level] => format!("; {}", noise_line(results, *level)),
        _ => String::new(),
    };
    format!(
        "{}: {} training and {} test examples{noise}; {} {}",
        data.source,
        data.train_samples,
        data.test_samples,
        seeds.len(),
        if seeds.len() == 1 { "seed" } else { "seeds" }
    )
}

/// A level of label noise in words: what was redrawn and what is wrong thereby.
pub(super) fn noise_line(results: &Results, level: f64) -> String {
    let wrong = results
        .data
        .noise
        .iter()
        .find(|noise| noise.label_noise == level)
        .map(|noise| noise.wrong_labels);
    match wrong {
        Some(wrong) if level > 0.0 => format!(
            "{} % of the training labels redrawn, {:.0} % wrong",
            percent(level),
            100.0 * wrong
        ),
        _ => format!("{} % of the training labels redrawn", percent(level)),
    }
}

/// A fraction as percent without needless digits.
pub(super) fn percent(fraction: f64) -> String {
    format!("{}", (fraction * 1e4).round() / 1e2)
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
    let optional = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let accuracy = match row.standard_error {
        Some(error) => format!("{:.2} +- {:.2}", 100.0 * row.mean_test_accuracy, 100.0 * error),
        None => format!("{:.2}", 100.0 * row.mean_test_accuracy),
    };
    vec![
        format!("{}{}", row.method, mark(row)),
        row.rho.map_or_else(|| "-".to_owned(), |rho| rho.to_string()),
        accuracy,
        difference(row),
        format!(
            "{:.1} / {:.1}",
            100.0 * row.train_accuracy_clean,
            100.0 * row.train_accuracy_noisy
        ),
        optional(row.hessian_eigenvalue, 2),
        optional(row.time_per_step_over_sgd, 2),
    ]
}

/// What stands behind the name of a method that is not ranked.
fn mark(row: &Summary) -> &'static str {
    match (row.moved, row.is_ranked()) {
        (_, true) => "",
        (false, _) => " (*)",
        (true, false) => " (!)",
    }
}

/// Why rows are marked, a line a reason.
pub(super) fn footnotes<'a>(rows: impl Iterator<Item = &'a Summary> + Clone) -> Vec<&'static str> {
    let reasons = [
        (
            " (*)",
            "(*) never moved a weight at this rho: the same as its base optimizer, not ranked",
        ),
        (
            " (!)",
            "(!) stopped: most of its steps had a norm or gradient that is not finite; not ranked",
        ),
    ];
    let marked = |wanted: &str| rows.clone().any(|row| mark(row) == wanted);
    reasons.into_iter().filter(|(wanted, _)| marked(wanted)).map(|(_, reason)| reason).collect()
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

/// The rows under their head.
pub(super) fn columns(rows: &[&Summary]) -> Columns<'static> {
    Columns { head: &HEAD, rows: rows.iter().map(|row| cells(row)).collect() }
}

fn one(rows: &[&Summary], style: Style) -> String {
    let mut text = columns(rows).text(style);
    for note in footnotes(rows.iter().copied()) {
        text += &format!("{note}\n");
    }
    text
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
        let text = table(&results, Style::Plain);
        let lines: Vec<&str> = text.lines().collect();
        let names: Vec<&str> =
            lines[2..6].iter().map(|line| line.split_whitespace().next().unwrap()).collect();
        assert_eq!(names, ["info-asam", "sam", "sgd", "asam"]);
        assert!(lines[5].starts_with("asam (*)") && lines[6].starts_with("(*) never moved"));
        assert!(lines[..6].iter().all(|line| line.len() == lines[0].len()), "{text}");
        assert!(lines[0].len() <= 120, "{} columns", lines[0].len());
        assert!(!text.contains('\u{1b}'));
        assert_eq!(table(&results, Style::Bold).matches("\u{1b}[1m").count(), 2);
    }

    #[test]
    fn each_level_of_noise_has_its_own_table() {
        let results = sample::results(&["sgd", "sam"], &[0.0, 0.6], 2);
        let text = table(&results, Style::Plain);
        assert!(text.contains("60 % of the training labels redrawn, 54 % wrong"));
        assert!(text.contains("0 % of the training labels redrawn\n"));
        assert_eq!(text.matches("test accuracy %").count(), 2);
        assert_eq!(headline(&results), "digits: 1000 training and 797 test examples; 2 seeds");
        let single = sample::results(&["sgd", "sam"], &[0.6], 1);
        assert_eq!(
            headline(&single),
            "digits: 1000 training and 797 test examples; 60 % of the training labels redrawn, 54 % wrong; 1 seed"
        );
        assert_eq!((percent(0.07), percent(0.125)), ("7".into(), "12.5".into()));
    }
}
