//! [`Part`]: in which steps of a run a method perturbs, and how many epochs its budget leaves it.
//!
//! ```text
//! perturbs        epoch >= sam_from, and the steps since then are a multiple of sam_every
//! gradients       of an epoch, in epochs: 1 + 1 / (sam_every * interval) from sam_from on, 1 before and for one-gradient
//!                 methods; interval is LookSAM's own, which counts the steps that perturb, else 1
//! by gradients    the most epochs that take no more of them than the configured epochs of the base optimizer alone
//! ```

use clap::ValueEnum;
use serde::Serialize;

use super::{Config, ConfigError};

/// What every method gets the same of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Budget {
    /// Passes over the training examples.
    #[default]
    Epochs,
    /// Gradients: as many as the base optimizer alone takes in the configured epochs, to the last whole epoch.
    Gradients,
}

/// A method's part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// How many epochs it trains.
    pub epochs: usize,
    /// The first epoch that perturbs, from 1.
    from: usize,
    every: usize,
    /// A second gradient in every so many-th step that perturbs; `None` where there never is one.
    interval: Option<u32>,
}

impl Part {
    /// The part of a method that takes a second gradient in every `interval`-th step that perturbs, or in none.
    pub fn new(config: &Config, method: &str, interval: Option<u32>) -> Result<Self, ConfigError> {
        let (from, every) = (config.sam_from, config.sam_every);
        let limit = config.epochs as u128;
        let epochs = match (config.budget, interval) {
            (Budget::Epochs, _) | (_, None) => limit,
            (Budget::Gradients, Some(interval)) => {
                // n + (n - before) / each <= limit, over whole n.
                let each = every as u128 * u128::from(interval.max(1));
                let before = (from as u128 - 1).min(limit);
                before + (limit - before) * each / (each + 1)
            }
        } as usize;
        if interval.is_some() && epochs < from {
            let expected =
                format!("epochs enough for {method} to perturb within --budget gradients");
            return Err(ConfigError::new("--epochs", expected, config.epochs));
        }
        Ok(Self { epochs, from, every, interval })
    }

    /// Whether step `step` of the run, from 0, perturbs; an epoch has `steps` of them.
    pub fn perturbs(self, step: usize, steps: usize) -> bool {
        let first = (self.from - 1).saturating_mul(steps);
        step.checked_sub(first).is_some_and(|since| since.is_multiple_of(self.every))
    }

    /// Gradients of the whole run, an epoch having `steps`.
    pub fn gradients(self, steps: usize) -> usize {
        let all = self.epochs.saturating_mul(steps);
        let later = all.saturating_sub((self.from - 1).saturating_mul(steps));
        let second = |interval: u32| later.div_ceil(self.every).div_ceil(interval.max(1) as usize);
        all.saturating_add(self.interval.map_or(0, second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, resolve};

    fn part(toml: &str, interval: Option<u32>) -> Part {
        let config = resolve(Options::parse("test", toml).unwrap()).unwrap();
        Part::new(&config, "sam", interval).unwrap()
    }

    #[test]
    fn the_steps_that_perturb_are_every_so_many_th_from_the_first_epoch_on() {
        let part = part("epochs = 4\nsam_from = 2\nsam_every = 3", Some(1));
        let perturbs: Vec<usize> = (0..16).filter(|&step| part.perturbs(step, 4)).collect();
        assert_eq!(perturbs, [4, 7, 10, 13]);
        assert_eq!(part.gradients(4), 20);
    }

    #[test]
    fn a_budget_of_gradients_is_kept_to_the_last_whole_epoch() {
        for (more, interval, epochs) in [
            ("", None, 60),
            ("", Some(1), 30),
            ("", Some(5), 50),
            ("sam_from = 46", Some(1), 52),
            ("sam_every = 2", Some(1), 40),
            ("sam_every = 3\nsam_from = 12", Some(2), 53),
        ] {
            let part = part(&format!("epochs = 60\nbudget = \"gradients\"\n{more}"), interval);
            assert_eq!(part.epochs, epochs, "{more} {interval:?}");
            // An epoch of 12 steps holds whole rounds of all of these.
            assert!((59 * 12..=60 * 12 + 1).contains(&part.gradients(12)), "{more} {interval:?}");
        }
        assert_eq!(part("epochs = 60", Some(1)).epochs, 60);
    }
}
