//! Options as written, by flags or in a TOML file; everything may be left out.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ConfigError, RhoOption, parse_seeds};

/// What somebody wrote, not yet checked.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of Config, each optional")]
pub struct Options {
    pub data: Option<String>,
    pub train_samples: Option<usize>,
    pub label_noise: Option<Many<f64>>,
    pub hidden: Option<Many<usize>>,
    pub epochs: Option<usize>,
    pub sam_from: Option<usize>,
    pub sam_every: Option<usize>,
    pub budget: Option<String>,
    pub batch: Option<usize>,
    pub parts: Option<usize>,
    pub perturb: Option<String>,
    pub base: Option<String>,
    pub learning_rate: Option<f64>,
    pub seeds: Option<SeedsOption>,
    pub threads: Option<usize>,
    pub device: Option<String>,
    pub tune: Option<bool>,
    pub tune_seeds: Option<usize>,
    pub search: Option<Many<String>>,
    pub methods: Option<Many<String>>,
    #[serde(default)]
    pub rho: RhoOption,
    #[serde(default)]
    pub set: BTreeMap<String, BTreeMap<String, f64>>,
}

/// One value or a list of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Many<T> {
    /// A single value.
    One(T),
    /// A list.
    List(Vec<T>),
}

impl<T> Many<T> {
    /// The values as a list.
    pub fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(value) => vec![value],
            Self::List(values) => values,
        }
    }
}

/// Seeds: a count, a list, or text as on the command line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum SeedsOption {
    /// So many seeds from 0 on.
    Count(u64),
    /// These seeds.
    List(Vec<u64>),
    /// `24`, `3,7,9` or `100..124`.
    Text(String),
}

impl SeedsOption {
    /// The seeds themselves.
    ///
    /// # Errors
    /// No seed, a seed twice, or text that is none of the three forms.
    pub fn seeds(&self) -> Result<Vec<u64>, ConfigError> {
        match self {
            Self::Count(count) => parse_seeds(&count.to_string()),
            Self::Text(text) => parse_seeds(text),
            Self::List(list) => {
                let text: Vec<String> = list.iter().map(u64::to_string).collect();
                match text.len() {
                    0 => parse_seeds("[]"),
                    // A list of one is a seed, where the same text on the command line is a count.
                    1 => Ok(list.clone()),
                    _ => parse_seeds(&text.join(",")),
                }
            }
        }
    }
}

impl Options {
    /// These options laid over `weaker` ones: what is set here stays, single radii and keys are joined by name, which
    /// parsing has made the list's.
    #[must_use]
    pub fn over(self, weaker: Self) -> Self {
        let mut rho = self.rho;
        if rho.all.is_none() {
            // A radius for all, given here, also overrules the single ones of the weaker source.
            rho.all = weaker.rho.all;
            for (method, value) in weaker.rho.each {
                rho.each.entry(method).or_insert(value);
            }
        }
        let mut set = weaker.set;
        for (method, keys) in self.set {
            set.entry(method).or_default().extend(keys);
        }
        Self {
            data: self.data.or(weaker.data),
            train_samples: self.train_samples.or(weaker.train_samples),
            label_noise: self.label_noise.or(weaker.label_noise),
            hidden: self.hidden.or(weaker.hidden),
            epochs: self.epochs.or(weaker.epochs),
            sam_from: self.sam_from.or(weaker.sam_from),
            sam_every: self.sam_every.or(weaker.sam_every),
            budget: self.budget.or(weaker.budget),
            batch: self.batch.or(weaker.batch),
            parts: self.parts.or(weaker.parts),
            perturb: self.perturb.or(weaker.perturb),
            base: self.base.or(weaker.base),
            learning_rate: self.learning_rate.or(weaker.learning_rate),
            seeds: self.seeds.or(weaker.seeds),
            threads: self.threads.or(weaker.threads),
            device: self.device.or(weaker.device),
            tune: self.tune.or(weaker.tune),
            tune_seeds: self.tune_seeds.or(weaker.tune_seeds),
            search: self.search.or(weaker.search),
            methods: self.methods.or(weaker.methods),
            rho,
            set,
        }
    }
}
