//! SAM in a part of the run, equal budgets of gradients, and batches taken in parts.

mod common;
mod part_of_the_run {
    mod ranks;
}

use common::{compare, config, digests, refused, timeless};
use presam_program::report::{Run, headline};

const SMALL: &str = "seeds = 2\nhidden = 8\ntrain_samples = 192\nbatch = 32\n";

fn runs(method: &str, more: &str) -> Vec<Run> {
    let results = compare(&format!("{SMALL}methods = [\"{method}\"]\n{more}"));
    results.runs.iter().map(timeless).collect()
}

#[test]
fn before_its_first_epoch_a_method_is_the_base_optimizer_in_every_bit() {
    let sgd = runs("sgd", "epochs = 4");
    for method in ["sam", "info-asam", "look-sam", "momentum-sam"] {
        for (run, sgd) in runs(method, "epochs = 4\nsam_from = 3").iter().zip(&sgd) {
            assert_eq!(run.history[..2], sgd.history[..2], "{method}");
            assert_ne!(run.params_sha256, sgd.params_sha256, "{method}");
        }
    }
    assert_eq!(runs("sgd", "epochs = 4\nsam_from = 3\nsam_every = 2\nbudget = \"gradients\""), sgd);
}

#[test]
fn every_so_many_th_step_perturbs_and_look_sam_counts_those() {
    for (method, more, share, gradients) in [
        ("sam", "", 1.0, 48),
        ("sam", "sam_every = 2", 0.5, 36),
        ("sam", "sam_from = 3\nsam_every = 3", 1.0 / 6.0, 28),
        ("sam", "sam_every = 100", 1.0 / 24.0, 25),
        ("momentum-sam", "sam_every = 2", 0.5 - 1.0 / 24.0, 24),
        ("look-sam", "sam_every = 2\n[set.look-sam]\ninterval = 3", 4.0 / 24.0, 28),
    ] {
        for run in runs(method, &format!("epochs = 4\n{more}")) {
            assert!(
                (run.perturbed_share - share).abs() < 1e-12,
                "{method} {more}: {}",
                run.perturbed_share
            );
            assert_eq!(run.gradients, gradients, "{method} {more}");
        }
    }
}

#[test]
fn by_gradients_every_method_gets_as_many_and_sam_half_the_epochs() {
    for (method, epochs) in [("sgd", 6), ("sam", 3), ("look-sam", 5), ("momentum-sam", 6)] {
        for run in runs(method, "epochs = 6\nbudget = \"gradients\"\n[set.look-sam]\ninterval = 5")
        {
            assert_eq!((run.history.len(), run.gradients), (epochs, 36), "{method}");
            // The learning rate has its whole way in the epochs there are.
            assert!(run.history.last().unwrap().learning_rate < 0.05);
        }
    }
    let results =
        compare(&format!("{SMALL}epochs = 2\nbudget = \"gradients\"\nmethods = [\"sam\"]\n"));
    assert!(headline(&results).ends_with("; 2 seeds; as many gradients for each method"));
    let message =
        refused(&["--epochs", "1", "--budget", "gradients", "--methods", "sam", "--dry-run"]);
    assert!(message.contains("--epochs: expected epochs enough for sam to perturb"), "{message}");
}

#[test]
fn a_device_takes_the_same_part() {
    let study = format!(
        "{SMALL}epochs = 3\nsam_from = 2\nsam_every = 2\nbudget = \"gradients\"\n\
         methods = [\"sgd\", \"info-asam\", \"look-sam\", \"momentum-sam\", \"gsam\", \"saner\"]\n"
    );
    let device = compare(&format!("{study}device = \"emulated\"\n"));
    assert_eq!(device.digest, compare(&study).digest);
}

#[test]
fn parts_perturb_together_or_each_by_itself() {
    let digest = |method: &str, more: &str| {
        let results = compare(&format!("{SMALL}epochs = 2\nmethods = [\"{method}\"]\n{more}"));
        digests(&results, method).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let (together, apart) = ("parts = 3\n", "parts = 3\nperturb = \"local\"\n");
    // Where nothing is perturbed, or all parts alike, both are one sum in one order.
    let still = "[rho]\nsam = 0\n";
    assert_eq!(digest("sam", &format!("{together}{still}")), digest("sgd", together));
    assert_eq!(digest("sam", &format!("{apart}{still}")), digest("sgd", together));
    assert_eq!(digest("momentum-sam", apart), digest("momentum-sam", together));
    for method in ["sam", "info-asam", "look-sam", "gsam"] {
        let found = [digest(method, together), digest(method, apart), digest(method, "")];
        assert!(found[0] != found[1] && found[1] != found[2] && found[2] != found[0], "{method}");
    }
    // One part is the whole batch, whoever perturbs.
    assert_eq!(digest("info-asam", "perturb = \"local\"\n"), digest("info-asam", ""));
}

#[test]
fn accumulation_is_the_whole_batch_but_for_rounding() {
    let loss = |more: &str| runs("sam", &format!("epochs = 1\n{more}"))[0].history[0].train_loss;
    let (whole, parts) = (loss(""), loss("parts = 5"));
    assert!((whole - parts).abs() < 1e-4 * whole, "{whole} and {parts}");
    assert_eq!(config("parts = 64").parts, 64);
    let message = refused(&["--parts", "65", "--dry-run"]);
    assert!(
        message.contains("--parts: expected a whole number from 1 to 64, found 65"),
        "{message}"
    );
    let message = refused(&["--parts", "2", "--device", "emulated", "--dry-run"]);
    assert!(message.contains("--parts: expected 1 with --device emulated, found 2"), "{message}");
    let message = refused(&["--perturb", "global", "--dry-run"]);
    assert!(
        message.contains("--perturb: expected synchronised or local, found \"global\""),
        "{message}"
    );
}
