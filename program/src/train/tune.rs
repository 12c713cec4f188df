//! `--tune`: searches rho, and damping where there is one, on a validation split, by one budget for all.
//!
//! ```text
//! rho      half powers of two from 1/32 to 32 times the default, then three times finer around the best
//! damping  0.1, 1 and 10; for each, powers of two from 1/4 to 4 times the default rho, then twice finer
//! judge    mean accuracy on the held-out 30 % of the training images (clean labels), over 8 seeds of its own
//! collapse the smallest rho above the best at which that mean falls by more than 0.1
//! ```
//!
//! Either way a method spends 27 trials. The grids are anchored at powers of two, so a default that was
//! tuned is found again.

use super::job::Job;
use super::jobs::{Watch, run_all};
use super::split::Judge;
use crate::config::{Config, ConfigError, DAMPING, Plan};
use crate::data::Loaded;
use crate::error::Error;
use crate::report::{Trial, Tuned};
use presam_cuda::Device;

/// Seeds that no comparison uses by default.
const SEEDS: [u64; 8] = [9001, 9002, 9003, 9004, 9005, 9006, 9007, 9008];
/// The relative dampings tried where a method has one.
const DAMPINGS: [f64; 3] = [0.1, 1.0, 10.0];
/// Fewer training examples leave no validation split worth the name.
const LEAST: usize = 10;
/// A fall of the validation accuracy that counts as a collapse.
const COLLAPSE: f64 = 0.1;

/// What was tried for one method at one level of label noise, and how to try more.
struct Search<'a> {
    config: &'a Config,
    loaded: &'a Loaded,
    method: &'a str,
    label_noise: f64,
    watch: Watch<'a>,
    device: Option<&'a mut Box<dyn Device>>,
    trials: Vec<Trial>,
}

/// Tunes every method that has a radius, at every level of label noise.
pub(super) fn tune(
    config: &Config,
    loaded: &Loaded,
    watch: Watch<'_>,
    mut device: Option<&mut Box<dyn Device>>,
) -> Result<Vec<Tuned>, Error> {
    let size = config.training_size(loaded.train.len(), loaded.test.is_some())?;
    if size < LEAST {
        let expected = format!("at least {LEAST} training examples, to hold some out for --tune");
        return Err(ConfigError::new("--train-samples", expected, size).into());
    }
    let mut chosen = Vec::new();
    for &label_noise in &config.label_noise {
        for method in &config.methods {
            if let Some(rho) = config.rho(method) {
                if rho == 0.0 {
                    let place = format!("--rho {method}");
                    let expected = "more than 0 with --tune, which searches around it";
                    return Err(ConfigError::new(place, expected, rho).into());
                }
                let trials = Vec::new();
                let device = device.as_deref_mut();
                let search = Search { config, loaded, method, label_noise, watch, device, trials };
                chosen.push(search.run(rho)?);
            }
        }
    }
    Ok(chosen)
}

impl Search<'_> {
    fn run(mut self, default: f64) -> Result<Tuned, Error> {
        let middle = default.log2().round();
        if self.config.setting(self.method, DAMPING).is_some() {
            for damping in DAMPINGS.map(Some) {
                let grid = (-2..=2).map(|k| 2f64.powf(middle + f64::from(k)));
                self.try_all(grid.map(|rho| (rho, damping)).collect())?;
                self.refine(&[0.5, 0.25], |trial| trial.damping == damping)?;
            }
        } else {
            let grid = (-10..=10).map(|k| 2f64.powf(middle + f64::from(k) / 2.0));
            self.try_all(grid.map(|rho| (rho, None)).collect())?;
            self.refine(&[0.25, 0.125, 0.0625], |_| true)?;
        }
        let best = self.best(|_| true);
        let fallen = |trial: &&Trial| {
            trial.damping == best.damping
                && trial.rho > best.rho
                && trial.validation_accuracy < best.validation_accuracy - COLLAPSE
        };
        let collapse_rho =
            self.trials.iter().filter(fallen).map(|trial| trial.rho).min_by(f64::total_cmp);
        Ok(Tuned {
            method: self.method.to_owned(),
            label_noise: self.label_noise,
            rho: best.rho,
            damping: best.damping,
            collapse_rho,
            trials: self.trials,
        })
    }

    /// Tries both neighbours of the best of `those` trials, at ever smaller powers of two.
    fn refine(&mut self, powers: &[f64], those: impl Fn(&Trial) -> bool) -> Result<(), Error> {
        for power in powers {
            let (Trial { rho, damping, .. }, ratio) = (self.best(&those), 2f64.powf(*power));
            self.try_all(vec![(rho / ratio, damping), (rho * ratio, damping)])?;
        }
        Ok(())
    }

    /// The best of `those` trials; of equals the smaller rho, which is farther from the collapse.
    fn best(&self, those: impl Fn(&Trial) -> bool) -> Trial {
        let nothing = Trial { rho: 0.0, damping: None, validation_accuracy: 0.0 };
        let better = |a: &&Trial, b: &&Trial| {
            a.validation_accuracy.total_cmp(&b.validation_accuracy).then(b.rho.total_cmp(&a.rho))
        };
        self.trials.iter().filter(|trial| those(trial)).max_by(better).cloned().unwrap_or(nothing)
    }

    /// Runs all settings with all tuning seeds, at once.
    fn try_all(&mut self, settings: Vec<(f64, Option<f64>)>) -> Result<(), Error> {
        let Self { config, loaded, method, label_noise, watch, .. } = *self;
        let settings: Vec<_> =
            settings.into_iter().map(|(rho, d)| (three_digits(rho), d)).collect();
        let mut jobs = Vec::new();
        for &(rho, damping) in &settings {
            for seed in SEEDS {
                let plan = Plan::new(config, method, Some(rho), damping)?;
                jobs.push(Job { config, plan, label_noise, seed, sharpness: false });
            }
        }
        let what = format!("tuning {method}");
        let device = self.device.as_deref_mut();
        let judge = Judge::Validation;
        let runs = run_all(&jobs, loaded, judge, config.threads, &what, watch, device)?;
        for (&(rho, damping), runs) in settings.iter().zip(runs.chunks(SEEDS.len())) {
            let sum: f64 = runs.iter().map(|run| run.final_test_accuracy).sum();
            let validation_accuracy = sum / SEEDS.len() as f64;
            self.trials.push(Trial { rho, damping, validation_accuracy });
        }
        Ok(())
    }
}

/// Rounded to three significant digits: what is reported is exactly what was tried, and can be typed.
fn three_digits(rho: f64) -> f64 {
    format!("{rho:.2e}").parse().unwrap_or(rho)
}
