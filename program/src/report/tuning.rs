//! What a tuning chose and where the collapse begins, as a table.

use super::records::{Results, Trial, Tuned};
use crate::show::table::{Column, Table, or_dash, percent, short};

const COLUMNS: [Column; 8] = [
    Column::left("tuned"),
    Column::right("label noise %").leaves(3),
    Column::right("learning rate"),
    Column::right("rho"),
    Column::right("damping").leaves(1),
    Column::right("validation %").leaves(2),
    Column::right("tried").leaves(4),
    Column::right("collapse from"),
];

/// The table; without rows where nothing was tuned.
pub fn tuning_table(results: &Results) -> Table {
    Table::new(COLUMNS).section("", results.tuning.iter().map(cells).collect()).without_gaps()
}

fn cells(tuned: &Tuned) -> Vec<String> {
    let chosen = |trial: &&Trial| {
        (trial.learning_rate, trial.rho, trial.damping)
            == (tuned.learning_rate, tuned.rho, tuned.damping)
    };
    let accuracy = tuned.trials.iter().find(chosen).map(|trial| trial.validation_accuracy);
    // The base optimizer alone has no radius: what was tried is its learning rate.
    let tried = |trial: &Trial| trial.rho.unwrap_or(trial.learning_rate);
    let (low, high) = tuned
        .trials
        .iter()
        .map(tried)
        .fold((f64::INFINITY, 0.0_f64), |(low, high), tried| (low.min(tried), high.max(tried)));
    // A best value at the end of what was tried may have a better one beyond it.
    let edge = |value: f64| if value == high { " (the largest)" } else { "" };
    let rate_edge = if tuned.rho.is_none() { edge(tuned.learning_rate) } else { "" };
    let collapse = match (tuned.rho, tuned.collapse_rho) {
        (None, _) => "-".to_owned(),
        (_, Some(rho)) => short(rho),
        (_, None) => format!("not up to {}", short(high)),
    };
    vec![
        tuned.method.clone(),
        percent(tuned.label_noise),
        format!("{}{rate_edge}", short(tuned.learning_rate)),
        tuned.rho.map_or_else(|| "-".to_owned(), |rho| short(rho) + edge(rho)),
        tuned.damping.map_or_else(|| "-".to_owned(), short),
        or_dash(accuracy.map(|accuracy| 100.0 * accuracy), 2),
        format!("{} to {}", short(low), short(high)),
        collapse,
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::show::view::View;

    #[test]
    fn a_row_says_what_was_chosen_and_where_the_collapse_begins() {
        let mut results = sample::results(&["sgd", "sam"], &[0.6], 2);
        assert_eq!(tuning_table(&results).text(View::PLAIN) + &tuning_table(&results).html(), "");
        let trial = |rho, validation_accuracy| Trial {
            learning_rate: 0.1,
            rho: Some(rho),
            damping: None,
            validation_accuracy,
        };
        results.tuning = vec![Tuned {
            method: "sam".into(),
            label_noise: 0.6,
            learning_rate: 0.1,
            rho: Some(0.5),
            damping: None,
            collapse_rho: Some(1.0),
            trials: vec![trial(0.25, 0.7), trial(0.5, 0.8125), trial(1.0, 0.1)],
        }];
        let text = tuning_table(&results).text(View::PLAIN);
        let words: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(words, ["sam", "60", "0.1", "0.5", "81.25", "0.25", "to", "1", "1"]);
        assert!(tuning_table(&results).html().contains("<td>81.25</td>"));
        results.tuning[0].trials.pop();
        results.tuning[0].collapse_rho = None;
        let text = tuning_table(&results).text(View::PLAIN);
        assert!(text.contains("0.5 (the largest)") && text.contains("not up to 0.5"), "{text}");
        let trials = vec![Trial { rho: None, ..trial(0.0, 0.7) }];
        let sam = &results.tuning[0];
        let sgd = Tuned { method: "sgd".into(), rho: None, trials, ..sam.clone() };
        results.tuning.push(sgd);
        let text = tuning_table(&results).text(View::PLAIN);
        let row = text.lines().nth(2).unwrap();
        assert!(
            row.contains("0.1 (the largest)") && row.ends_with("0.1 to 0.1              -"),
            "{row}"
        );
    }
}
