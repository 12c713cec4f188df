//! `--tune`: searches rho, and damping where there is one, on a validation split, by one budget for all.
//!
//! ```text
//! rho      a grid of ratio 2 around the default, then twice finer around the best: ratio sqrt 2, then 2^(1/4)
//! damping  a tenth and ten times the default, at the best rho and its upper neighbour
//! judge    mean accuracy on the held-out 30 % of the training images (clean labels), over 8 seeds of its own
//! collapse the smallest rho above the best at which that mean falls by more than 0.1
//! ```
//!
//! A method without damping spends the same number of trials on a wider first grid.

use super::jobs::run_all;
use super::plan::{DAMPING, Plan};
use super::run::Job;
use super::split::Judge;
use crate::config::Config;
use crate::data::Loaded;
use crate::error::Error;
use crate::progress::Progress;
use crate::report::{Trial, Tuned};

/// Seeds that no comparison uses by default.
const SEEDS: [u64; 8] = [9001, 9002, 9003, 9004, 9005, 9006, 9007, 9008];
/// A fall of the validation accuracy that counts as a collapse.
const COLLAPSE: f64 = 0.1;

/// What was tried for one method at one level of label noise, and how to try more.
struct Search<'a> {
    config: &'a Config,
    loaded: &'a Loaded,
    method: &'a str,
    label_noise: f64,
    progress: &'a (dyn Fn(Progress<'_>) + Sync),
    trials: Vec<Trial>,
}

/// Tunes every method that has a radius, at every level of label noise.
pub(super) fn tune(
    config: &Config,
    loaded: &Loaded,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<Vec<Tuned>, Error> {
    let mut chosen = Vec::new();
    for &label_noise in &config.label_noise {
        for method in &config.methods {
            if let Some(rho) = config.rho(method) {
                let trials = Vec::new();
                let search = Search { config, loaded, method, label_noise, progress, trials };
                chosen.push(search.run(rho)?);
            }
        }
    }
    Ok(chosen)
}

impl Search<'_> {
    fn run(mut self, default: f64) -> Result<Tuned, Error> {
        let damping = self.config.setting(self.method, DAMPING);
        // Powers of two around the default; 4 more of them where no damping is searched.
        let exponents = if damping.is_some() { -3..=3 } else { -5..=5 };
        self.try_all(exponents.map(|k| (default * 2f64.powi(k), damping)).collect())?;
        if let Some(damping) = damping {
            let rho = self.best().rho;
            let dampings = [damping * 0.1, damping * 10.0];
            let pairs = dampings.into_iter().flat_map(|d| [(rho, Some(d)), (rho * 2.0, Some(d))]);
            self.try_all(pairs.collect())?;
        }
        for ratio in [2f64.sqrt(), 2f64.powf(0.25)] {
            let Trial { rho, damping, .. } = self.best();
            self.try_all(vec![(rho / ratio, damping), (rho * ratio, damping)])?;
        }
        let best = self.best();
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

    /// The best trial so far; of equals the smaller rho, which is farther from the collapse.
    fn best(&self) -> Trial {
        let nothing = Trial { rho: 0.0, damping: None, validation_accuracy: 0.0 };
        let better = |a: &&Trial, b: &&Trial| {
            a.validation_accuracy.total_cmp(&b.validation_accuracy).then(b.rho.total_cmp(&a.rho))
        };
        self.trials.iter().max_by(better).cloned().unwrap_or(nothing)
    }

    /// Runs all settings with all tuning seeds, at once.
    fn try_all(&mut self, settings: Vec<(f64, Option<f64>)>) -> Result<(), Error> {
        let Self { config, loaded, method, label_noise, progress, .. } = *self;
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
        let runs = run_all(&jobs, loaded, Judge::Validation, config.threads, &what, progress)?;
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
