//! Made-up results for tests of this module: plausible curves, never shown to a user.

use super::digest::digest;
use super::measure::Measure;
use super::records::{DataRecord, Ending, Epoch, LabelNoise, Results, Run, SCHEMA_VERSION};
use super::sentences::sentences;
use super::summary::summarise;
use crate::config::{Config, Many, Options, SeedsOption, resolve};
use crate::machine::Host;
use crate::methods::METHODS;

pub(super) const EPOCHS: usize = 60;

/// A repeatable number in -1..1 from three small ones.
fn wiggle(a: usize, b: u64, c: usize) -> f64 {
    ((a as f64 + 1.0) * 12.9898 + (b as f64 + 7.0) * 78.233 + (c as f64 + 3.0) * 37.719).sin()
}

/// One run each of the methods, levels and seeds.
pub(super) fn runs(methods: &[&str], levels: &[f64], seeds: &[u64]) -> Vec<Run> {
    let mut runs = Vec::new();
    for &level in levels {
        for method in methods {
            for &seed in seeds {
                runs.push(run(method, level, seed));
            }
        }
    }
    runs
}

/// Test accuracy after `epoch` epochs: noise is memorised late, so SGD climbs and then falls.
fn accuracy(name: &str, index: usize, level: f64, seed: u64, epoch: usize) -> f64 {
    let peak = match name {
        "sgd" => 0.97 - 0.44 * level,
        "info-asam" => 0.976 - 0.12 * level,
        _ => 0.975 - 0.14 * level - 0.09 * level * (index as f64 / 15.0),
    };
    let time = epoch as f64 / EPOCHS as f64;
    let rise = 1.0 - (-9.0 * time).exp();
    let fall = if name == "sgd" { 0.25 * level * (time - 0.35).max(0.0) } else { 0.0 };
    let noise = 0.012 * wiggle(index, seed, 0) + 0.008 * (1.0 - time) * wiggle(index, seed, epoch);
    (0.1 + (peak - 0.1) * rise - fall + noise).clamp(0.0, 1.0)
}

fn history(at: impl Fn(usize) -> f64) -> Vec<Epoch> {
    let rate =
        |epoch: usize| 0.05 * (1.0 + (std::f64::consts::PI * epoch as f64 / EPOCHS as f64).cos());
    let epoch = |epoch: usize| Epoch {
        epoch,
        learning_rate: rate(epoch - 1),
        train_loss: 2.3 * (-(epoch as f64) / 30.0).exp(),
        test_accuracy: at(epoch),
        gradient_change: Some(0.25),
        equal_gradients: Some(false),
    };
    (1..=EPOCHS).map(epoch).collect()
}

fn run(name: &str, level: f64, seed: u64) -> Run {
    let index = METHODS.iter().position(|method| method.name == name).unwrap_or(0);
    let at = |epoch: usize| accuracy(name, index, level, seed, epoch);
    let history = history(at);
    let (gradients, sharpness) =
        if name == "sgd" { (1.0, 90.0) } else { (2.0, 6.0 + 2.5 * index as f64) };
    Run {
        method: name.to_owned(),
        label_noise: level,
        seed,
        wrong_labels: 0.9 * level,
        rho: METHODS[index].rho,
        final_test_accuracy: at(EPOCHS),
        best_test_accuracy: history.iter().map(|epoch| epoch.test_accuracy).fold(0.0, f64::max),
        final_train_loss: 0.3,
        gradients: 960,
        ending: Ending::Learned,
        chance: 0.1,
        gradient_change: (name != "sgd").then_some(0.25),
        equal_gradients_share: (name != "sgd").then_some(0.0),
        perturbed_share: gradients - 1.0,
        skipped_share: 0.0,
        mean_perturbation_length: METHODS[index].rho.unwrap_or(0.0),
        seconds: 0.4 * gradients,
        seconds_per_step: 4e-4 * gradients,
        samples_per_second: Some(1.6e5 / gradients),
        forward_share: None,
        backward_share: None,
        ascent_share: None,
        descent_share: None,
        params_sha256: format!("{index:02x}{seed:02x}").repeat(16),
        train_accuracy_clean: at(EPOCHS),
        train_accuracy_noisy: 0.5 + 0.4 * level,
        hessian_eigenvalue: Some(sharpness * (1.0 + 0.08 * wiggle(index, seed, 1))),
        sam_sharpness: Some(0.1),
        history,
    }
}

/// A whole record.
pub(super) fn results(methods: &[&str], levels: &[f64], seeds: u64) -> Results {
    let runs = runs(methods, levels, &(0..seeds).collect::<Vec<_>>());
    let summary = summarise(&runs);
    let config = config(methods, levels, seeds);
    Results {
        schema_version: SCHEMA_VERSION,
        version: "0.1.0".into(),
        host: Host {
            os: "linux".into(),
            arch: "x86_64".into(),
            cpu: "A processor <of> 3 GHz & more".into(),
            cpu_level: "plain".into(),
            threads: 2,
        },
        date: "2026-11-24T13:18:44Z".into(),
        command: config.command(),
        data: DataRecord {
            source: "digits".into(),
            features: 64,
            classes: 10,
            smallest_label: 0,
            largest_label: 9,
            mean: 0.0,
            deviation: 1.0,
            train_samples: 1000,
            test_samples: 797,
            measure: Measure::Accuracy,
            noise: levels
                .iter()
                .map(|&level| LabelNoise { label_noise: level, wrong_labels: 0.9 * level })
                .collect(),
        },
        settings: serde_json::to_value(&config).unwrap(),
        tuning: Vec::new(),
        sentences: sentences(&summary, &config, &[]),
        digest: digest(&runs),
        runs,
        summary,
    }
}

fn config(methods: &[&str], levels: &[f64], seeds: u64) -> Config {
    let methods = methods.iter().map(|name| (*name).to_owned()).collect();
    resolve(Options {
        methods: Some(Many::List(methods)),
        label_noise: Some(Many::List(levels.to_vec())),
        seeds: Some(SeedsOption::Count(seeds)),
        ..Options::default()
    })
    .expect("the sample's own options are valid")
}

/// The names of all methods.
pub(super) fn all_methods() -> Vec<&'static str> {
    METHODS.iter().map(|method| method.name).collect()
}
