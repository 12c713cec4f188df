//! What `--tune` chose and where the collapse begins, as a table.

use super::Results;
use super::columns::Columns;
use super::records::{Trial, Tuned};
use super::table::{Style, percent};

const HEAD: [&str; 7] =
    ["tuned", "label noise %", "rho", "damping", "validation %", "rho tried", "collapse from"];

/// The table for a terminal; empty where nothing was tuned.
pub fn tuning_table(results: &Results, style: Style) -> String {
    columns(results).map_or_else(String::new, |columns| columns.text(style))
}

/// The same as HTML.
pub(super) fn tuning_html(results: &Results) -> String {
    columns(results).map_or_else(String::new, |columns| columns.html())
}

fn columns(results: &Results) -> Option<Columns<'static>> {
    let rows: Vec<Vec<String>> = results.tuning.iter().map(cells).collect();
    (!rows.is_empty()).then_some(Columns { head: &HEAD, rows })
}

fn cells(tuned: &Tuned) -> Vec<String> {
    let chosen = |trial: &&Trial| trial.rho == tuned.rho && trial.damping == tuned.damping;
    let accuracy = tuned.trials.iter().find(chosen).map(|trial| trial.validation_accuracy);
    let radii = || tuned.trials.iter().map(|trial| trial.rho);
    let (low, high) =
        radii().fold((f64::INFINITY, 0.0_f64), |(low, high), rho| (low.min(rho), high.max(rho)));
    // A best value at the end of what was tried may have a better one beyond it.
    let edge = if tuned.rho == high { " (the largest)" } else { "" };
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    vec![
        tuned.method.clone(),
        percent(tuned.label_noise),
        format!("{}{edge}", tuned.rho),
        or_dash(tuned.damping.map(|damping| damping.to_string())),
        or_dash(accuracy.map(|accuracy| format!("{:.2}", 100.0 * accuracy))),
        format!("{low} to {high}"),
        tuned.collapse_rho.map_or_else(|| format!("not up to {high}"), |rho| rho.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_row_says_what_was_chosen_and_where_the_collapse_begins() {
        let mut results = sample::results(&["sgd", "sam"], &[0.6], 2);
        assert_eq!(tuning_table(&results, Style::Plain) + &tuning_html(&results), "");
        let trial = |rho, validation_accuracy| Trial { rho, damping: None, validation_accuracy };
        results.tuning = vec![Tuned {
            method: "sam".into(),
            label_noise: 0.6,
            rho: 0.5,
            damping: None,
            collapse_rho: Some(1.0),
            trials: vec![trial(0.25, 0.7), trial(0.5, 0.8125), trial(1.0, 0.1)],
        }];
        let text = tuning_table(&results, Style::Plain);
        let words: Vec<&str> = text.lines().nth(2).unwrap().split_whitespace().collect();
        assert_eq!(words, ["sam", "60", "0.5", "-", "81.25", "0.25", "to", "1", "1"]);
        assert!(tuning_html(&results).contains("<td>81.25</td>"));
        results.tuning[0].trials.pop();
        results.tuning[0].collapse_rho = None;
        let text = tuning_table(&results, Style::Plain);
        assert!(text.contains("0.5 (the largest)") && text.contains("not up to 0.5"), "{text}");
    }
}
