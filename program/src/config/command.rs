//! A configuration as the shortest command that repeats it.

use super::word::name;
use super::{Base, Config, LEARNING_RATE, Many, Options, resolve};
use crate::data::Source;
use crate::methods::METHODS;

impl Config {
    /// `presam train` with the flags that differ from the defaults; threads are left out, since results do not depend on them.
    pub fn command(&self) -> String {
        let mut words = vec!["presam train".to_owned()];
        if let Some(plain) = self.defaults() {
            let flags = self.plain_flags(&plain).into_iter().chain(self.named_flags(&plain));
            words.extend(flags.map(|(name, text)| format!("--{name} {}", quoted(&text))));
        }
        if self.tune {
            words.push("--tune".to_owned());
        }
        words.join(" ")
    }

    /// Flags with a value of their own, where it differs from `plain`.
    fn plain_flags(&self, plain: &Config) -> Vec<(&'static str, String)> {
        let hidden = if self.hidden.is_empty() { "0".to_owned() } else { joined(&self.hidden) };
        let is_given = self.is_foreign() && !self.searches(LEARNING_RATE);
        let usual = METHODS.iter().filter(|method| method.by_default).map(|method| method.name);
        let all = [
            (self.data != plain.data, "data", self.data.to_string()),
            (
                self.train_samples != plain.train_samples,
                "train-samples",
                self.train_samples.to_string(),
            ),
            (self.label_noise != plain.label_noise, "label-noise", joined(&self.label_noise)),
            (self.hidden != plain.hidden, "hidden", hidden),
            (self.epochs != plain.epochs, "epochs", self.epochs.to_string()),
            (self.sam_from != plain.sam_from, "sam-from", self.sam_from.to_string()),
            (self.sam_every != plain.sam_every, "sam-every", self.sam_every.to_string()),
            (self.budget != plain.budget, "budget", name(&self.budget)),
            (self.batch != plain.batch, "batch", self.batch.to_string()),
            (self.parts != plain.parts, "parts", self.parts.to_string()),
            (self.perturb != plain.perturb, "perturb", name(&self.perturb)),
            (self.base != plain.base, "base", name(&self.base)),
            (
                is_given || self.learning_rate != plain.learning_rate,
                "lr",
                self.learning_rate.to_string(),
            ),
            (self.seeds != plain.seeds, "seeds", seeds(&self.seeds)),
            (self.tune_seeds != plain.tune_seeds, "tune-seeds", self.tune_seeds.to_string()),
            (!self.methods.iter().eq(usual), "methods", self.methods.join(",")),
        ];
        all.into_iter()
            .filter(|(differs, ..)| *differs)
            .map(|(_, name, text)| (name, text))
            .collect()
    }

    /// `--rho` and `--set` for what differs from `plain`.
    fn named_flags(&self, plain: &Config) -> Vec<(&'static str, String)> {
        // On other data than the digits, a default that is not searched was given.
        let is_given = |name: &str| self.is_foreign() && !self.tune && !self.searches(name);
        let is_told = |name: &str, rho| is_given(name) || plain.rho.get(name) != Some(rho);
        let told: Vec<_> = self.rho.iter().filter(|(name, rho)| is_told(name, rho)).collect();
        let rho: Vec<String> = told.iter().map(|(name, rho)| format!("{name}={rho}")).collect();
        let mut flags = Vec::new();
        if !rho.is_empty() {
            flags.push(("rho", rho.join(",")));
        }
        let implied = |name: &String| {
            let is_told = if name == LEARNING_RATE {
                self.learning_rate != plain.learning_rate
            } else {
                told.iter().any(|(told, _)| *told == name)
            };
            self.is_foreign() && !is_told
        };
        if !self.search.iter().all(implied) {
            flags.push(("search", self.search.join(",")));
        }
        for (owner, table) in &self.set {
            for (key, value) in table {
                if plain.setting(owner, key) != Some(*value) {
                    flags.push(("set", format!("{owner}.{key}={value}")));
                }
            }
        }
        flags
    }

    /// Whether the defaults were tuned on other data than these.
    fn is_foreign(&self) -> bool {
        self.data != Source::Digits
    }

    /// What the same data source, base optimizer and methods give without any other option.
    fn defaults(&self) -> Option<Config> {
        let plain = resolve(Options {
            data: Some(self.data.to_string()),
            base: Some(name(&self.base)),
            methods: Some(Many::List(self.methods.clone())),
            ..Options::default()
        })
        .ok()?;
        // These two decide other defaults, so they are compared with what no flag at all gives.
        Some(Config { data: Source::Digits, base: Base::Sgd, ..plain })
    }
}

/// Seeds in the shortest of their three forms.
fn seeds(seeds: &[u64]) -> String {
    let (first, last) = (seeds.first().copied().unwrap_or(0), seeds.last().copied().unwrap_or(0));
    let consecutive =
        seeds.windows(2).all(|pair| pair[1].checked_sub(pair[0]) == Some(1)) && last < u64::MAX;
    match (consecutive, first) {
        (true, 0) => format!("{}", last + 1),
        (true, _) => format!("{first}..{}", last + 1),
        (false, _) => joined(seeds),
    }
}

fn joined<T: ToString>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

/// The text as a shell takes it in one piece.
fn quoted(text: &str) -> String {
    let safe = text.chars().all(|c| c.is_alphanumeric() || "-_.,=:/+".contains(c));
    if safe { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
