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
        assert_eq!(row.rho, tuned.rho, "the comparison uses what was chosen");
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

#[test]
fn a_short_search_finds_a_learning_rate_and_radii_and_its_cost_is_told_first() {
    let small = "epochs = 8\nseeds = 2\nhidden = 8\ntrain_samples = 200\nlabel_noise = 0.2\n\
                 methods = [\"sgd\", \"sam\", \"momentum-sam\"]\nsearch = [\"lr\", \"sam\"]\n";
    let results = compare(small);
    let [rate, sam] = results.tuning.as_slice() else { panic!("{:?}", results.tuning) };
    assert_eq!((rate.method.as_str(), rate.rho, rate.trials.len()), ("sgd", None, 6));
    assert_eq!((sam.method.as_str(), sam.trials.len()), ("sam", 9));
    assert_eq!(sam.learning_rate, rate.learning_rate);
    for run in &results.runs {
        assert_eq!(run.history[0].learning_rate as f32, rate.learning_rate as f32);
    }
    let rho = |method: &str| results.summary.iter().find(|row| row.method == method).unwrap().rho;
    assert_eq!((rho("sam"), rho("momentum-sam")), (sam.rho, Some(1.7)));
    // What was chosen can be typed, and gives the same bits without another search.
    let chosen = format!(
        "learning_rate = {}\nrho = {{ sam = {} }}\nsearch = \"none\"\n",
        rate.learning_rate,
        sam.rho.unwrap()
    );
    let without = small.replace("search = [\"lr\", \"sam\"]\n", &chosen);
    let again = compare(&without);
    assert_eq!((&again.digest, again.tuning.len()), (&results.digest, 0));
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("out");
    let small = ["--epochs", "1", "--seeds", "1", "--hidden", "8", "--methods", "sgd"];
    let rest = ["--train-samples", "60", "--batch", "4", "--search", "lr", "--out"];
    let output = presam(&[&small[..], &rest, &[folder.to_str().unwrap()]].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.starts_with("searching the learning rate: first a short tuning, 2 seeds"),
        "{told}"
    );
}

#[test]
fn a_short_search_perturbs_whatever_part_of_the_run_and_budget_are_asked_for() {
    let small = "epochs = 24\nseeds = 1\nhidden = 4\ntrain_samples = 96\nmethods = [\"sam\"]\nsearch = \"sam\"\n";
    for more in ["sam_from = 24\n", "sam_from = 23\nbudget = \"gradients\"\n"] {
        let results = compare(&format!("{small}{more}"));
        assert_eq!(results.tuning[0].trials.len(), 9, "{more}");
        assert!(results.runs[0].perturbed_share > 0.0, "{more}");
    }
}
