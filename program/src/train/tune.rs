//! Tuning on a validation split: radii with `--tune`, and what nobody gave on other data than the digits.
//!
//! ```text
//! --tune    rho      half powers of two from 1/32 to 32 times the default, then three times finer around the best
//!           damping  0.1, 1 and 10; for each, powers of two from 1/4 to 4 times the default rho, then twice finer
//!           judge    mean accuracy on the held-out 30 % of the training images (clean labels), over 8 seeds of its own or
//!                    as many of them as --tune-seeds says
//!           collapse the smallest rho above the best at which that mean falls by more than 0.1
//! --search  rate     1, 1/4, 1/16 and 1/64 of the default for the base optimizer alone, then half and twice the best
//!           rho      powers of four from 1/64 to 4 times the default, then twice finer around the best
//!           judge    the same over 2 seeds, a quarter of the epochs (at least 5; --sam-from is scaled with them, and every
//!                    method gets as many) and at most 4,000 training images
//! ```
//!
//! A method spends 27 trials, or 9 in the short form. The grids are anchored at powers of two, so a default that was
//! tuned is found again.

use super::job::Job;
use super::jobs::{Watch, run_all};
use super::split::Judge;
use crate::config::{Budget, Config, ConfigError, DAMPING, LEARNING_RATE, MOST_TUNE_SEEDS, Plan};
use crate::data::Loaded;
use crate::error::Error;
use crate::report::{Trial, Tuned};
use presam_cuda::Device;

/// Seeds that no comparison uses by default.
const SEEDS: [u64; MOST_TUNE_SEEDS] = [9001, 9002, 9003, 9004, 9005, 9006, 9007, 9008];
/// Trials a method, either way.
pub(super) const TRIALS: usize = 27;
/// So many of the seeds judge in the short form.
pub(super) const SHORT_SEEDS: usize = 2;
/// Trials of the short form for the learning rate, and for a radius.
pub(super) const SHORT_TRIALS: [usize; 2] = [6, 9];
/// The short form has at least so many epochs, if the comparison has: a run that has not begun to learn judges nothing.
const SHORT_EPOCHS: usize = 5;
/// Training and validation examples of the short form.
const SHORT_EXAMPLES: usize = 4000;
/// The relative dampings tried where a method has one.
const DAMPINGS: [f64; 3] = [0.1, 1.0, 10.0];
/// Fewer training examples leave no validation split worth the name.
const LEAST: usize = 10;
/// A fall of the validation accuracy that counts as a collapse.
const COLLAPSE: f64 = 0.1;
/// The method that stands for the base optimizer alone.
pub(super) const BASE: &str = "sgd";

/// The configuration of the short form's runs on `size` training examples.
pub(super) fn short(config: &Config, size: usize) -> Config {
    let train_samples = size.min(SHORT_EXAMPLES.max(config.batch));
    let epochs = config.epochs.div_ceil(4).max(SHORT_EPOCHS).min(config.epochs);
    let sam_from = (config.sam_from - 1) * epochs / config.epochs + 1;
    // A budget of gradients may leave so few epochs that none of them perturbs.
    let budget = Budget::Epochs;
    Config { epochs, sam_from, budget, train_samples, ..config.clone() }
}

/// What was tried for one method at one level of label noise, and how to try more.
struct Search<'a> {
    config: Config,
    seeds: &'static [u64],
    loaded: &'a Loaded,
    method: &'a str,
    label_noise: f64,
    watch: Watch<'a>,
    device: Option<&'a mut Box<dyn Device>>,
    trials: Vec<Trial>,
    /// The mean training loss behind each trial.
    losses: Vec<f64>,
}

/// Tunes what `config` asks for, at every level of label noise: the learning rate first, then every radius at it.
pub(super) fn tune<'a>(
    config: &'a Config,
    loaded: &'a Loaded,
    watch: Watch<'a>,
    device: Option<&'a mut Box<dyn Device>>,
) -> Result<Vec<Tuned>, Error> {
    if !config.tune && config.search.is_empty() {
        return Ok(Vec::new());
    }
    let size = config.training_size(loaded.train.len(), loaded.test.is_some())?;
    if size < LEAST {
        let expected = format!("at least {LEAST} training examples, to hold some out for a tuning");
        return Err(ConfigError::new("--train-samples", expected, size).into());
    }
    let short = short(config, size);
    let mut chosen = Vec::new();
    let mut search = Search {
        config: config.clone(),
        seeds: &SEEDS,
        loaded,
        method: BASE,
        label_noise: 0.0,
        watch,
        device,
        trials: Vec::new(),
        losses: Vec::new(),
    };
    for &label_noise in &config.label_noise {
        search.label_noise = label_noise;
        search.level(config, &short, &mut chosen)?;
    }
    Ok(chosen)
}

/// A search multiplies what it begins with.
fn above_zero(place: String, value: f64) -> Result<(), ConfigError> {
    let expected = "more than 0 with --tune or --search, which search around it";
    if value > 0.0 { Ok(()) } else { Err(ConfigError::new(place, expected, value)) }
}

/// The powers of two around the one nearest to `value` whose exponents are `step` apart.
fn powers(value: f64, exponents: std::ops::RangeInclusive<i32>, step: f64) -> Vec<f64> {
    let middle = value.log2().round();
    exponents.map(|k| 2f64.powf(middle + f64::from(k) * step)).collect()
}

impl<'a> Search<'a> {
    /// Forgets the last method's trials.
    fn begin(
        &mut self,
        method: &'a str,
        config: &Config,
        seeds: &'static [u64],
        learning_rate: f64,
    ) {
        self.config = Config { learning_rate, ..config.clone() };
        (self.method, self.seeds) = (method, seeds);
        self.trials.clear();
        self.losses.clear();
    }

    /// Everything that `config` asks for at one level of label noise; `short` is the configuration of the short form.
    fn level(
        &mut self,
        config: &'a Config,
        short: &Config,
        chosen: &mut Vec<Tuned>,
    ) -> Result<(), Error> {
        let few = &SEEDS[..SHORT_SEEDS];
        let seeds = &SEEDS[..config.tune_seeds.min(MOST_TUNE_SEEDS)];
        let mut learning_rate = config.learning_rate;
        if config.searches(LEARNING_RATE) {
            above_zero("--lr".to_owned(), learning_rate)?;
            self.begin(BASE, short, few, learning_rate);
            let tuned = self.rate()?;
            learning_rate = tuned.learning_rate;
            chosen.push(tuned);
        }
        for method in &config.methods {
            let Some(rho) = config.rho(method) else { continue };
            if config.tune || config.searches(method) {
                above_zero(format!("--rho {method}"), rho)?;
            }
            if config.tune {
                self.begin(method, config, seeds, learning_rate);
                chosen.push(self.radius(rho)?);
            } else if config.searches(method) {
                self.begin(method, short, few, learning_rate);
                chosen.push(self.short_radius(rho)?);
            }
        }
        Ok(())
    }

    /// The learning rate of the base optimizer alone: fractions of the default, which is as large as data allow.
    fn rate(&mut self) -> Result<Tuned, Error> {
        let default = self.config.learning_rate;
        let at = |learning_rate| Trial { learning_rate, ..self.setting(None, None) };
        self.try_all([1.0, 0.25, 0.0625, 0.015_625].map(|part| at(default * part)).to_vec())?;
        let best = self.best_rate();
        let near =
            [0.5, 2.0].map(|part| Trial { learning_rate: best.learning_rate * part, ..best });
        self.try_all(near.to_vec())?;
        let best = self.best_rate();
        Ok(self.tuned(best))
    }

    /// A radius in the short form.
    fn short_radius(&mut self, default: f64) -> Result<Tuned, Error> {
        self.try_radii(powers(default, -3..=1, 2.0), None)?;
        self.refine(&[1.0, 0.5], |_| true)?;
        Ok(self.tuned_radius())
    }

    /// A radius, and a damping where there is one, with all that `--tune` spends.
    fn radius(&mut self, default: f64) -> Result<Tuned, Error> {
        if self.config.setting(self.method, DAMPING).is_some() {
            for damping in DAMPINGS.map(Some) {
                self.try_radii(powers(default, -2..=2, 1.0), damping)?;
                self.refine(&[0.5, 0.25], |trial| trial.damping == damping)?;
            }
        } else {
            self.try_radii(powers(default, -10..=10, 0.5), None)?;
            self.refine(&[0.25, 0.125, 0.0625], |_| true)?;
        }
        Ok(self.tuned_radius())
    }

    /// The best of all radii.
    fn tuned_radius(&mut self) -> Tuned {
        let best = self.best(|_| true);
        self.tuned(best)
    }

    /// The best learning rate; of equals the one that has come farthest, for a short run may end before it has
    /// learned anything that a validation set sees.
    fn best_rate(&self) -> Trial {
        let better = |a: &(&Trial, &f64), b: &(&Trial, &f64)| {
            a.0.validation_accuracy.total_cmp(&b.0.validation_accuracy).then(b.1.total_cmp(a.1))
        };
        let best = self.trials.iter().zip(&self.losses).max_by(better);
        best.map_or_else(|| self.setting(None, None), |(best, _)| *best)
    }

    /// The record of all trials with the best of them, and where larger radii collapse.
    fn tuned(&mut self, best: Trial) -> Tuned {
        let fallen = |trial: &&Trial| {
            trial.damping == best.damping
                && trial.rho > best.rho
                && trial.validation_accuracy < best.validation_accuracy - COLLAPSE
        };
        let collapse_rho =
            self.trials.iter().filter(fallen).filter_map(|trial| trial.rho).min_by(f64::total_cmp);
        Tuned {
            method: self.method.to_owned(),
            label_noise: self.label_noise,
            learning_rate: best.learning_rate,
            rho: best.rho,
            damping: best.damping,
            collapse_rho,
            trials: std::mem::take(&mut self.trials),
        }
    }

    /// A trial that is still to be made, at the learning rate of the search.
    fn setting(&self, rho: Option<f64>, damping: Option<f64>) -> Trial {
        let learning_rate = self.config.learning_rate;
        Trial { learning_rate, rho, damping, validation_accuracy: 0.0 }
    }

    fn try_radii(&mut self, radii: Vec<f64>, damping: Option<f64>) -> Result<(), Error> {
        let trials = radii.into_iter().map(|rho| self.setting(Some(rho), damping));
        self.try_all(trials.collect())
    }

    /// Tries both neighbours of the best of `those` trials, at ever smaller powers of two.
    fn refine(&mut self, powers: &[f64], those: impl Fn(&Trial) -> bool) -> Result<(), Error> {
        for power in powers {
            let (Trial { rho, damping, .. }, ratio) = (self.best(&those), 2f64.powf(*power));
            let rho = rho.unwrap_or(0.0);
            self.try_radii(vec![rho / ratio, rho * ratio], damping)?;
        }
        Ok(())
    }

    /// The best of `those` trials; of equals the smaller rho, which is farther from the collapse.
    fn best(&self, those: impl Fn(&Trial) -> bool) -> Trial {
        let rho = |trial: &Trial| trial.rho.unwrap_or(0.0);
        let better = |a: &&Trial, b: &&Trial| {
            let smaller = rho(b).total_cmp(&rho(a));
            a.validation_accuracy.total_cmp(&b.validation_accuracy).then(smaller)
        };
        let best = self.trials.iter().filter(|trial| those(trial)).max_by(better);
        best.copied().unwrap_or_else(|| self.setting(None, None))
    }

    /// Runs all settings with all seeds of the search, at once.
    fn try_all(&mut self, settings: Vec<Trial>) -> Result<(), Error> {
        let Self { loaded, method, label_noise, watch, seeds, .. } = *self;
        let rounded = settings.into_iter().map(|trial| Trial {
            learning_rate: three_digits(trial.learning_rate),
            rho: trial.rho.map(three_digits),
            ..trial
        });
        // Each with a configuration of its own, since a run takes the learning rate from there.
        let settings: Vec<(Trial, Config)> = rounded
            .map(|trial| {
                let learning_rate = trial.learning_rate;
                (trial, Config { learning_rate, ..self.config.clone() })
            })
            .collect();
        let mut jobs = Vec::new();
        for (trial, config) in &settings {
            for &seed in seeds {
                let plan = Plan::new(config, method, trial.rho, trial.damping)?;
                jobs.push(Job { config, plan, label_noise, seed, sharpness: false });
            }
        }
        let what = format!("tuning {method}");
        let (device, judge) = (self.device.as_deref_mut(), Judge::Validation);
        let threads = self.config.threads;
        let runs = run_all(&jobs, loaded, judge, threads, &what, watch, device)?;
        for ((trial, _), runs) in settings.iter().zip(runs.chunks(seeds.len())) {
            let sum: f64 = runs.iter().map(|run| run.final_test_accuracy).sum();
            let validation_accuracy = sum / seeds.len() as f64;
            let loss: f64 = runs.iter().map(|run| run.final_train_loss).sum();
            // A diverged run came nowhere, whatever the sign of its NaN, which a checkpoint does not keep either.
            let loss = if loss.is_finite() { loss / seeds.len() as f64 } else { f64::INFINITY };
            self.losses.push(loss);
            self.trials.push(Trial { validation_accuracy, ..*trial });
        }
        Ok(())
    }
}

/// Rounded to three significant digits: what is reported is exactly what was tried, and can be typed.
fn three_digits(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
