//! `--tune` on a small budget: the same choice every time, told in the terminal and on the page.

mod common;

use common::{compare, out, presam, refused};

const SMALL: &str = "epochs = 1\nseeds = 1\nhidden = 8\ntrain_samples = 120\nlabel_noise = 0.2\ntune = true\n\
                     methods = [\"sgd\", \"sam\", \"info-sam\"]\n";

#[test]
fn the_choice_is_reproducible_and_within_what_was_tried() {
    let one = compare(&format!("{SMALL}threads = 1\n"));
    let two = compare(&format!("{SMALL}threads = 2\n"));
    assert_eq!((&one.tuning, &one.digest), (&two.tuning, &two.digest));
    let methods: Vec<&str> = one.tuning.iter().map(|tuned| tuned.method.as_str()).collect();
    assert_eq!(methods, ["sam", "info-sam"]);
    for tuned in &one.tuning {
        assert_eq!(tuned.trials.len(), 27, "{}: one budget for all", tuned.method);
        let best = tuned.trials.iter().map(|trial| trial.validation_accuracy).fold(0.0, f64::max);
        let chosen = tuned
            .trials
            .iter()
            .find(|trial| trial.rho == tuned.rho && trial.damping == tuned.damping)
            .unwrap();
        assert_eq!(chosen.validation_accuracy, best);
        let row = one.summary.iter().find(|row| row.method == tuned.method).unwrap();
        assert_eq!(row.rho, Some(tuned.rho), "the comparison uses what was chosen");
        assert_eq!(tuned.damping.is_some(), tuned.method == "info-sam");
    }
}

#[test]
fn what_was_chosen_is_told_and_too_little_data_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    let folder_text = folder.to_str().unwrap();
    let small = [
        "--epochs",
        "1",
        "--seeds",
        "1",
        "--hidden",
        "8",
        "--methods",
        "sam",
        "--tune",
        "--batch",
        "4",
    ];
    let output = presam(&[&small[..], &["--train-samples", "60", "--out", folder_text]].concat());
    let text = out(&output);
    assert!(output.status.success() && text.contains("collapse from"), "{text}");
    let page = std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains("<h2>Tuning</h2>") && page.contains("collapse from"));
    let message = refused(&[&small[..], &["--train-samples", "9", "--out", folder_text]].concat());
    assert!(message.contains("expected at least 10 training examples"), "{message}");
}
