//! results.csv (one row a run) and history.csv (one row a run and epoch); column names are the JSON keys.

use serde::Serialize;

use super::finite;
use super::records::Run;

#[derive(Serialize)]
struct EpochRow<'a> {
    method: &'a str,
    label_noise: f64,
    seed: u64,
    epoch: usize,
    learning_rate: f64,
    #[serde(with = "finite")]
    train_loss: f64,
    test_accuracy: f64,
    gradient_change: Option<f64>,
    equal_gradients: Option<bool>,
}

/// The runs as CSV, one row each, their histories left out.
///
/// # Errors
/// None that records can cause; the writer's own is passed on.
pub fn results_csv(runs: &[Run]) -> Result<Vec<u8>, csv::Error> {
    to_csv(runs.iter().map(|run| Run { history: Vec::new(), ..run.clone() }))
}

/// The histories as CSV, one row a run and epoch.
///
/// # Errors
/// None that records can cause; the writer's own is passed on.
pub fn history_csv(runs: &[Run]) -> Result<Vec<u8>, csv::Error> {
    to_csv(runs.iter().flat_map(|run| {
        run.history.iter().map(|epoch| EpochRow {
            method: &run.method,
            label_noise: run.label_noise,
            seed: run.seed,
            epoch: epoch.epoch,
            learning_rate: epoch.learning_rate,
            train_loss: epoch.train_loss,
            test_accuracy: epoch.test_accuracy,
            gradient_change: epoch.gradient_change,
            equal_gradients: epoch.equal_gradients,
        })
    }))
}

fn to_csv<R: Serialize>(rows: impl Iterator<Item = R>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn columns_are_the_keys_of_the_json_and_a_collapse_is_an_empty_cell() {
        let mut runs = sample::runs(&["sgd", "sam"], &[0.6], &[1]);
        runs[1].final_train_loss = f64::NAN;
        let text = String::from_utf8(results_csv(&runs).unwrap()).unwrap();
        let mut columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
        let cells: Vec<&str> = text.lines().nth(2).unwrap().split(',').collect();
        assert_eq!(cells[columns.iter().position(|name| *name == "final_train_loss").unwrap()], "");
        assert_eq!(text.lines().count(), 3);
        let json = serde_json::to_value(&runs[1]).unwrap();
        assert!(json["final_train_loss"].is_null());
        assert!(serde_json::from_value::<Run>(json.clone()).unwrap().final_train_loss.is_nan());
        let mut keys: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .filter(|key| *key != "history")
            .collect();
        columns.sort_unstable();
        keys.sort_unstable();
        assert_eq!(columns, keys);
    }

    #[test]
    fn history_has_a_row_for_every_run_and_epoch() {
        let runs = sample::runs(&["sgd", "sam"], &[0.6], &[1, 2]);
        let text = String::from_utf8(history_csv(&runs).unwrap()).unwrap();
        assert_eq!(
            text.lines().next(),
            Some(
                "method,label_noise,seed,epoch,learning_rate,train_loss,test_accuracy,gradient_change,equal_gradients"
            )
        );
        assert_eq!(text.lines().count(), 1 + 4 * sample::EPOCHS);
    }
}
