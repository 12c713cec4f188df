//! Where the time of a training step goes on a GPU, as a table: one row a method, over all of its runs.

use super::records::{Results, Run};
use crate::show::table::{Column, Table, or_dash};
use crate::stats::{distinct, median};

const COLUMNS: [Column; 7] = [
    Column::left("on the GPU"),
    Column::right("samples / s"),
    Column::right("forward %").leaves(2),
    Column::right("backward %").leaves(1),
    Column::right("ascent %"),
    Column::right("descent %"),
    Column::right("time / SGD"),
];

/// The quickest method first; without rows where no run was timed on a GPU.
pub fn speed_table(results: &Results) -> Table {
    let timed = results.runs.iter().filter(|run| run.forward_share.is_some());
    let mut methods = distinct(timed.map(|run| run.method.as_str()));
    let of = |method: &str, value: &dyn Fn(&Run) -> Option<f64>| {
        let runs = results.runs.iter().filter(|run| run.method == method);
        median(&runs.filter_map(value).collect::<Vec<_>>())
    };
    let seconds = |method: &str| of(method, &|run| Some(run.seconds_per_step));
    let sgd = seconds("sgd").filter(|seconds| *seconds > 0.0);
    methods.sort_by(|a, b| seconds(a).unwrap_or(0.0).total_cmp(&seconds(b).unwrap_or(0.0)));
    let shares: [fn(&Run) -> Option<f64>; 4] = [
        |run| run.forward_share,
        |run| run.backward_share,
        |run| run.ascent_share,
        |run| run.descent_share,
    ];
    let row = |method: &&str| {
        let mut row = vec![(*method).to_owned()];
        row.push(or_dash(of(method, &|run| run.samples_per_second), 0));
        row.extend(shares.iter().map(|share| or_dash(of(method, share).map(|x| 100.0 * x), 1)));
        row.push(or_dash(seconds(method).zip(sgd).map(|(own, sgd)| own / sgd), 2));
        row
    };
    Table::new(COLUMNS).section("", methods.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::show::view::View;

    #[test]
    fn a_row_a_method_with_medians_over_its_runs() {
        let mut results = sample::results(&["sam", "sgd"], &[0.0, 0.6], 3);
        assert_eq!(speed_table(&results).text(View::PLAIN) + &speed_table(&results).html(), "");
        for (index, run) in results.runs.iter_mut().enumerate() {
            run.forward_share = Some(0.25);
            run.backward_share = Some(0.5);
            run.ascent_share = Some(if index % 3 == 0 { 0.9 } else { 0.125 });
            run.descent_share = Some(0.125);
        }
        let text = speed_table(&results).text(View::PLAIN);
        let rows: Vec<Vec<&str>> =
            text.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["sgd", "160000", "25.0", "50.0", "12.5", "12.5", "1.00"]);
        assert_eq!(rows[1], ["sam", "80000", "25.0", "50.0", "12.5", "12.5", "2.00"]);
        assert_eq!(rows.len(), 2);
        assert!(speed_table(&results).html().contains("<td>160000</td>"));
    }
}
