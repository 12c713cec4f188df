//! The list of methods the program can train with: names, formulas, keys with their defaults, costs and sources.
//!
//! The command line, the configuration, the help texts and the tables all read this one list.

mod list;
mod lookup;

pub use list::{BASES, METHODS};
pub use lookup::{find, find_key, suggestion};

use serde::Serialize;

/// A way to take one training step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Method {
    /// The name of the field, in lower case with hyphens.
    pub name: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// One line: what it does.
    pub what: &'static str,
    /// The perturbation (or the whole step), w the parameters, g the gradient at w.
    pub formula: &'static str,
    /// Default radius; `None` for a method that perturbs nothing.
    pub rho: Option<f64>,
    /// Its further keys (`--set NAME.KEY=VALUE`).
    pub keys: &'static [Key],
    /// Numbers kept per parameter from step to step, besides the base optimizer's.
    pub kept_floats: u8,
    /// Numbers per parameter needed within a step only.
    pub step_floats: u8,
    /// Gradients a step, `1/k` more where the second is taken every k steps.
    pub gradients: &'static str,
    /// Passes over the parameters to perturb them: one for the norm, one for the ascent.
    pub ascent_passes: u8,
    /// Where it comes from.
    pub source: &'static str,
    /// The setting at which it equals another method.
    pub equals: &'static str,
}

/// One number that a method reads.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Key {
    /// Name, as in `--set METHOD.KEY=VALUE`.
    pub name: &'static str,
    /// Value where none is given.
    pub default: f64,
    /// Which values are meaningful.
    pub limits: Limits,
    /// What it does.
    pub what: &'static str,
}

/// Which values a key accepts; never a NaN or an infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limits {
    /// 0 or more.
    NonNegative,
    /// From 0 to 1, both included.
    Fraction,
    /// From 0 to 1, 1 excluded: the weight of an average's old value.
    Decay,
    /// 0 or 1.
    Switch,
    /// 1, 2, 3 ...
    Count,
}

impl Limits {
    /// Whether `value` is within the limits.
    pub fn hold(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Self::NonNegative => value >= 0.0,
                Self::Fraction => (0.0..=1.0).contains(&value),
                Self::Decay => (0.0..1.0).contains(&value),
                Self::Switch => value == 0.0 || value == 1.0,
                Self::Count => value >= 1.0 && value.fract() == 0.0 && value <= 1e9,
            }
    }

    /// The limits in words, to follow "expected".
    pub fn words(self) -> &'static str {
        match self {
            Self::NonNegative => "a number of at least 0",
            Self::Fraction => "a number from 0 to 1",
            Self::Decay => "a number from 0 to 1, 1 excluded",
            Self::Switch => "0 or 1",
            Self::Count => "a whole number of at least 1",
        }
    }
}

/// A base optimizer: what turns the gradient at the perturbed point into a new point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BaseMethod {
    /// Name, as in `--base NAME`.
    pub name: &'static str,
    /// Its learning rate where none is given.
    pub learning_rate: f64,
    /// Its keys (`--set base.KEY=VALUE`).
    pub keys: &'static [Key],
}
