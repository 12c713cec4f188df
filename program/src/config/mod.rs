//! What a training run is told: options from flags and file, resolved into one plain, checked [`Config`].
//!
//! [`Options`] is what somebody wrote (everything optional); [`resolve`] lays flags over the file over the
//! defaults, checks every value and returns [`Config`], where nothing is left open. A `Config` written as
//! TOML reads back as `Options` that resolve to the same `Config`.

mod command;
mod error;
mod file;
mod micro;
mod names;
mod options;
mod parse;
mod part;
mod plan;
mod radii;
mod resolve;
mod search;
mod word;

pub use error::ConfigError;
pub use micro::{Micro, Perturb};
pub use options::{Many, Options, SeedsOption};
pub use parse::{parse_numbers, parse_rho, parse_seeds, parse_setting};
pub use part::Budget;
pub(crate) use part::Part;
pub(crate) use plan::{Descent, Plan};
pub use radii::RhoOption;
pub use resolve::{device, resolve};
pub use search::LEARNING_RATE;

use std::collections::BTreeMap;
use std::fmt::Display;

use clap::ValueEnum;
use serde::Serialize;

use crate::data::Source;
use crate::methods::{BASES, BaseMethod};
use presam_cuda::Choice;

/// A base optimizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// Stochastic gradient descent with momentum and coupled weight decay.
    #[default]
    Sgd,
    /// Adam with decoupled weight decay.
    Adamw,
}

impl Base {
    /// Its entry of the list: name, learning rate, keys.
    pub fn entry(self) -> &'static BaseMethod {
        match self {
            Self::Sgd => &BASES[0],
            Self::Adamw => &BASES[1],
        }
    }
}

/// A resolved training configuration: complete and within limits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// Where the data come from.
    #[serde(serialize_with = "as_text")]
    pub data: Source,
    /// Training examples: the first of a seeded shuffle; 0 takes all (what is left of the digits is the test set).
    pub train_samples: usize,
    /// Shares of training labels redrawn uniformly over all classes; one comparison each.
    pub label_noise: Vec<f64>,
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Passes over the training examples.
    pub epochs: usize,
    /// The first epoch, from 1, in which methods perturb; before it the base optimizer steps alone.
    pub sam_from: usize,
    /// From there on they perturb in every so many-th step, the base optimizer stepping alone between. LookSAM counts
    /// its interval over the steps that perturb.
    pub sam_every: usize,
    /// What every method gets the same of.
    pub budget: Budget,
    /// Examples a step.
    pub batch: usize,
    /// Micro-batches that a batch is taken in, one after the other.
    pub parts: usize,
    /// Whose gradient perturbs where there are several.
    pub perturb: Perturb,
    /// Base optimizer.
    pub base: Base,
    /// Its learning rate at the first step; falls to 0 along a cosine.
    pub learning_rate: f64,
    /// One run a seed and method.
    pub seeds: Vec<u64>,
    /// Threads the runs are spread over; the results do not depend on it.
    pub threads: usize,
    /// Where steps are taken; results do not depend on it.
    #[serde(serialize_with = "as_text")]
    pub device: Choice,
    /// Whether rho (and damping) are searched on a validation split first.
    pub tune: bool,
    /// Seeds that judge each trial of it.
    pub tune_seeds: usize,
    /// What a short tuning finds first: `learning_rate`, and methods whose radius it is.
    pub search: Vec<String>,
    /// Methods, by their names in the list.
    pub methods: Vec<String>,
    /// The radius of each method that has one.
    pub rho: BTreeMap<String, f64>,
    /// Every key of every chosen method, and of the base optimizer under `base`.
    pub set: BTreeMap<String, BTreeMap<String, f64>>,
}

/// What a tuning chose for one method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen<'a> {
    /// Its name.
    pub method: &'a str,
    /// The learning rate of all methods.
    pub learning_rate: f64,
    /// Its radius; `None` for a method without, which was tried for the learning rate alone.
    pub rho: Option<f64>,
    /// Its damping; `None` for a method without.
    pub damping: Option<f64>,
}

/// The key that a tuning searches beside rho.
pub const DAMPING: &str = "relative_damping";
/// Seeds that `--tune` has, and takes where nobody asks for fewer.
pub(crate) const MOST_TUNE_SEEDS: usize = 8;
/// Name of the base optimizer's table in [`Config::set`].
pub const BASE_TABLE: &str = "base";

fn as_text<T: Display, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

impl Config {
    /// The radius of `method`; `None` for one that perturbs nothing.
    pub fn rho(&self, method: &str) -> Option<f64> {
        self.rho.get(method).copied()
    }

    /// The value of `method.key`, or `base.key`; `None` where the list has no such key or the method was not chosen.
    pub fn setting(&self, method: &str, key: &str) -> Option<f64> {
        self.set.get(method)?.get(key).copied()
    }

    /// Whether a short tuning finds `what`: the learning rate, or a method's radius.
    pub fn searches(&self, what: &str) -> bool {
        self.search.iter().any(|name| name == what)
    }

    /// The configuration with what a tuning chose in place of its own, to be repeated without another tuning.
    #[must_use]
    pub fn tuned<'a>(&self, chosen: impl IntoIterator<Item = Chosen<'a>>) -> Self {
        let mut config =
            Self { tune: false, tune_seeds: MOST_TUNE_SEEDS, search: Vec::new(), ..self.clone() };
        for Chosen { method, learning_rate, rho, damping } in chosen {
            config.learning_rate = learning_rate;
            if let Some(rho) = rho {
                config.rho.insert(method.to_owned(), rho);
            }
            if let Some(damping) = damping {
                let keys = config.set.entry(method.to_owned()).or_default();
                keys.insert(DAMPING.to_owned(), damping);
            }
        }
        config
    }

    /// The configuration with its folder named from the root: to be written down where another folder may be near.
    #[must_use]
    pub fn anywhere(&self) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        Self { data: self.data.clone().within(&here), ..self.clone() }
    }

    /// How many of `available` training examples are used; `has_test` says whether the test set lies apart.
    ///
    /// # Errors
    /// More examples wanted than there are, none left to test on, a batch larger than the training set, or more
    /// steps than are counted.
    pub fn training_size(&self, available: usize, has_test: bool) -> Result<usize, ConfigError> {
        let size = if self.train_samples == 0 { available } else { self.train_samples };
        let most = if has_test { available } else { available.saturating_sub(1) };
        if size > most {
            let left = if has_test { "" } else { " (the rest is the test set)" };
            let expected =
                format!("at most {most} of the {available} examples of {}{left}", self.data);
            return Err(ConfigError::new("--train-samples", expected, size));
        }
        if self.batch > size {
            let expected = format!("at most the {size} training examples");
            return Err(ConfigError::new("--batch", expected, self.batch));
        }
        // Steps are counted in 32 bits, here as in the core's schedules.
        let steps = size.div_ceil(self.batch.max(1)).saturating_mul(self.epochs);
        if u32::try_from(steps).is_err() {
            let expected = format!("at most {} steps in all", u32::MAX);
            return Err(ConfigError::new("--epochs", expected, steps));
        }
        Ok(size)
    }

    /// The configuration as TOML: readable by `--config`.
    ///
    /// # Errors
    /// None that a resolved configuration can cause; the serialiser's own is passed on.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }
}

#[cfg(test)]
mod tests;
