//! From options to a complete, checked configuration.

use std::collections::BTreeMap;

use super::search::search;
use super::word::word;
use super::{
    BASE_TABLE, Base, Config, ConfigError, MOST_TUNE_SEEDS, Many, Options, Plan, SeedsOption,
};
use crate::data::Source;
use crate::machine::available_threads;
use crate::methods::{Key, Limits, METHODS, Method, find, find_key};
use crate::tilde::unreplaced;
use presam_cuda::{Choice, NAMES};
use presam_pipe::similar::suggestion;

/// Seeds where none are given.
pub(super) const SEEDS: u64 = 5;
const LABEL_NOISE: f64 = 0.6;
const DIGITS_TRAINING: usize = 1000;
/// The core takes no radius from here on: its range classes rest on it.
const LARGEST_RHO: f32 = (1_u32 << 31) as f32;
const MOST_THREADS: usize = 1024;
/// An epoch leaves a record; a slip of the keyboard must not fill the memory.
const MOST_EPOCHS: usize = 1_000_000;
const MOST_WIDTH: usize = 1 << 20;

/// Fills what `options` leave open with the defaults and checks every value.
///
/// # Errors
/// The first value outside its limits, or the first unknown method, key, base optimizer or data source,
/// with a suggestion where a name is close.
pub fn resolve(options: Options) -> Result<Config, ConfigError> {
    let data = source(options.data.as_deref())?;
    let base: Base = word("--base", options.base.as_deref())?;
    let methods = methods(options.methods.clone())?;
    let search = search(&options, &data, &methods)?;
    let learning_rate = options.learning_rate.unwrap_or(base.entry().learning_rate);
    check("--lr", Limits::NonNegative, learning_rate)?;
    let threads = options.threads.unwrap_or_else(available_threads);
    let default_samples = if data == Source::Digits { DIGITS_TRAINING } else { 0 };
    let epochs = at_least_one("--epochs", options.epochs.unwrap_or(60), MOST_EPOCHS)?;
    let batch = at_least_one("--batch", options.batch.unwrap_or(64), usize::MAX)?;
    let device = device(options.device.as_deref())?;
    let tune = options.tune.unwrap_or(false);
    let config = Config {
        train_samples: options.train_samples.unwrap_or(default_samples),
        label_noise: label_noise(options.label_noise)?,
        hidden: hidden(options.hidden)?,
        epochs,
        sam_from: at_least_one("--sam-from", options.sam_from.unwrap_or(1), epochs)?,
        sam_every: at_least_one("--sam-every", options.sam_every.unwrap_or(1), usize::MAX)?,
        budget: word("--budget", options.budget.as_deref())?,
        batch,
        parts: parts(options.parts.unwrap_or(1), batch, device)?,
        perturb: word("--perturb", options.perturb.as_deref())?,
        seeds: options.seeds.unwrap_or(SeedsOption::Count(SEEDS)).seeds()?,
        threads: at_least_one("--threads", threads, MOST_THREADS)?,
        device,
        tune,
        tune_seeds: tune_seeds(tune, options.tune_seeds)?,
        search,
        rho: radii(&methods, options.rho.all, options.rho.each)?,
        set: settings(&methods, base, options.set)?,
        methods: methods.iter().map(|method| method.name.to_owned()).collect(),
        data,
        base,
        learning_rate,
    };
    // What the core itself refuses is refused here, too.
    for method in &config.methods {
        Plan::new(&config, method, None, None)?;
    }
    Ok(config)
}

/// A device by its name.
///
/// # Errors
/// Any other text, with a suggestion where it is close to a name.
pub fn device(text: Option<&str>) -> Result<Choice, ConfigError> {
    let text = text.unwrap_or("cpu");
    text.parse().map_err(|found: String| {
        ConfigError::new("--device", NAMES, found)
            .suggest(suggestion(text, ["cpu", "emulated", "ptx", "cuda"]))
    })
}

fn source(text: Option<&str>) -> Result<Source, ConfigError> {
    let text = text.unwrap_or("digits");
    let source: Source = text.parse().map_err(|_| {
        ConfigError::new("--data", "digits, idx:DIR or cifar10:DIR", format!("{text:?}"))
            .suggest(suggestion(text, ["digits"]))
    })?;
    if let (Some((kind, _)), Some(meant)) =
        (text.split_once(':'), source.folder().and_then(unreplaced))
    {
        let found = format!("{text:?}, whose ~ no shell has replaced");
        let meant = format!("{kind}:{}", meant.display());
        // Another user's home is not looked up.
        return Err(ConfigError::new("--data", "a folder by its whole name", found)
            .suggest(Some(meant.as_str()).filter(|meant| *meant != text)));
    }
    Ok(source)
}

fn methods(names: Option<Many<String>>) -> Result<Vec<&'static Method>, ConfigError> {
    let Some(names) = names.map(Many::into_vec) else {
        return Ok(METHODS.iter().filter(|method| method.by_default).collect());
    };
    let mut chosen: Vec<&'static Method> = Vec::new();
    for name in names.iter().flat_map(|names| names.split(',')).map(str::trim) {
        if name.eq_ignore_ascii_case("all") {
            chosen.extend(METHODS);
        } else {
            chosen.push(method("--methods", name)?);
        }
    }
    // Twice the same method would be twice the same runs.
    let mut distinct: Vec<&'static Method> = Vec::new();
    for method in chosen {
        if !distinct.contains(&method) {
            distinct.push(method);
        }
    }
    if distinct.is_empty() {
        return Err(ConfigError::new("--methods", "at least one method", "none"));
    }
    Ok(distinct)
}

fn method(flag: &str, name: &str) -> Result<&'static Method, ConfigError> {
    find(name).ok_or_else(|| {
        let names = METHODS
            .iter()
            .flat_map(|method| std::iter::once(method.name).chain(method.aliases.iter().copied()));
        ConfigError::new(flag, "a method of `presam methods`", format!("{name:?}"))
            .suggest(suggestion(name, names))
    })
}

fn radii(
    methods: &[&Method],
    all: Option<f64>,
    each: BTreeMap<String, f64>,
) -> Result<BTreeMap<String, f64>, ConfigError> {
    let mut radii = BTreeMap::new();
    for method in methods {
        if let Some(default) = method.rho {
            radii.insert(method.name.to_owned(), all.unwrap_or(default));
        }
    }
    for (name, rho) in each {
        let method = method("--rho", &name)?;
        if method.rho.is_none() {
            return Err(ConfigError::new("--rho", "a method with a radius", method.name));
        }
        // A radius for a method that is not trained is no mistake: one file serves several lists.
        if let Some(radius) = radii.get_mut(method.name) {
            *radius = rho;
        }
    }
    for (name, &rho) in &radii {
        check(&format!("--rho {name}"), Limits::NonNegative, rho)?;
        if rho as f32 >= LARGEST_RHO {
            return Err(ConfigError::new(format!("--rho {name}"), "a number below 2^31", rho));
        }
    }
    Ok(radii)
}

type Table = BTreeMap<String, f64>;

fn settings(
    methods: &[&Method],
    base: Base,
    given: BTreeMap<String, Table>,
) -> Result<BTreeMap<String, Table>, ConfigError> {
    let defaults =
        |keys: &[Key]| keys.iter().map(|key| (key.name.to_owned(), key.default)).collect::<Table>();
    let mut tables: BTreeMap<String, Table> = methods
        .iter()
        .filter(|method| !method.keys.is_empty())
        .map(|method| (method.name.to_owned(), defaults(method.keys)))
        .collect();
    tables.insert(BASE_TABLE.to_owned(), defaults(base.entry().keys));
    for (name, values) in given {
        let (owner, keys) = if name == BASE_TABLE {
            (BASE_TABLE, base.entry().keys)
        } else {
            let method = method("--set", &name)?;
            (method.name, method.keys)
        };
        for (key, value) in values {
            let place = format!("--set {owner}.{key}");
            let Some(known) = find_key(keys, &key) else {
                return Err(unknown_key(owner, keys, &key));
            };
            check(&place, known.limits, value)?;
            if let Some(table) = tables.get_mut(owner) {
                table.insert(known.name.to_owned(), value);
            }
        }
    }
    Ok(tables)
}

fn unknown_key(owner: &str, keys: &[Key], wrong: &str) -> ConfigError {
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    let expected = if names.is_empty() {
        format!("no key, {owner} has none")
    } else {
        format!("one of {}", names.join(", "))
    };
    ConfigError::new(format!("--set {owner}"), expected, format!("{wrong:?}"))
        .suggest(suggestion(wrong, names.iter().copied()))
}

fn label_noise(given: Option<Many<f64>>) -> Result<Vec<f64>, ConfigError> {
    let mut levels: Vec<f64> = Vec::new();
    for level in given.map(Many::into_vec).unwrap_or_else(|| vec![LABEL_NOISE]) {
        if level > 1.0 && level <= 100.0 {
            let expected = format!("fractions from 0 to 1 ({} for {level} %)", level / 100.0);
            return Err(ConfigError::new("--label-noise", expected, level));
        }
        check("--label-noise", Limits::Fraction, level)?;
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    if levels.is_empty() {
        Err(ConfigError::new("--label-noise", "at least one level", "none"))
    } else {
        Ok(levels)
    }
}

/// Widths; an empty list, or a single 0, is a model without a hidden layer.
fn hidden(given: Option<Many<usize>>) -> Result<Vec<usize>, ConfigError> {
    let widths = given.map(Many::into_vec).unwrap_or_else(|| vec![128]);
    if widths == [0] {
        return Ok(Vec::new());
    }
    widths.into_iter().map(|width| at_least_one("--hidden", width, MOST_WIDTH)).collect()
}

/// Fewer seeds for a tuning that nobody asked for would be taken for one.
fn tune_seeds(tune: bool, given: Option<usize>) -> Result<usize, ConfigError> {
    match given {
        Some(seeds) if !tune && seeds != MOST_TUNE_SEEDS => {
            Err(ConfigError::new("--tune-seeds", "--tune beside it", format!("{seeds} alone")))
        }
        given => at_least_one("--tune-seeds", given.unwrap_or(MOST_TUNE_SEEDS), MOST_TUNE_SEEDS),
    }
}

fn parts(parts: usize, batch: usize, device: Choice) -> Result<usize, ConfigError> {
    if parts > 1 && device != Choice::Cpu {
        return Err(ConfigError::new("--parts", format!("1 with --device {device}"), parts));
    }
    at_least_one("--parts", parts, batch)
}

fn at_least_one(flag: &str, value: usize, most: usize) -> Result<usize, ConfigError> {
    if (1..=most).contains(&value) {
        return Ok(value);
    }
    let expected = if most == usize::MAX {
        "a whole number of at least 1".to_owned()
    } else {
        format!("a whole number from 1 to {most}")
    };
    Err(ConfigError::new(flag, expected, value))
}

fn check(flag: &str, limits: Limits, value: f64) -> Result<(), ConfigError> {
    if limits.hold(value) { Ok(()) } else { Err(ConfigError::new(flag, limits.words(), value)) }
}
