//! What a short tuning finds before a comparison.
//!
//! The defaults were tuned on the digits. On other data a learning rate and radii that nobody gave are searched, so
//! that a first try does not end at chance; what was given stays.

use super::{ConfigError, Many, Options};
use crate::data::Source;
use crate::methods::{METHODS, Method, find};
use presam_pipe::similar::suggestion;

/// The learning rate's name in [`super::Config::search`]; the others are names of methods.
pub const LEARNING_RATE: &str = "learning_rate";

/// What is searched, the learning rate first and then radii in the order of `methods`. With `--tune`, which searches
/// every radius by itself, only the learning rate is left.
pub(super) fn search(
    options: &Options,
    data: &Source,
    methods: &[&Method],
) -> Result<Vec<String>, ConfigError> {
    let wanted = match &options.search {
        Some(names) => Wanted::named(names)?,
        None if *data == Source::Digits => Wanted::default(),
        None => Wanted::open(options),
    };
    let tune = options.tune.unwrap_or(false);
    let radii = methods
        .iter()
        .filter(|method| !tune && method.rho.is_some() && wanted.methods.contains(&method.name));
    let rate = wanted.rate.then_some(LEARNING_RATE);
    Ok(rate.into_iter().chain(radii.map(|method| method.name)).map(str::to_owned).collect())
}

/// What somebody asked for, whether or not it is trained.
#[derive(Default)]
struct Wanted {
    rate: bool,
    methods: Vec<&'static str>,
}

impl Wanted {
    /// What was not given.
    fn open(options: &Options) -> Self {
        let given = |method: &Method| {
            let own = options.rho.each.keys().filter_map(|name| find(name));
            options.rho.all.is_some() || own.into_iter().any(|own| own.name == method.name)
        };
        let methods = METHODS.iter().filter(|method| !given(method)).map(|method| method.name);
        Self { rate: options.learning_rate.is_none(), methods: methods.collect() }
    }

    fn named(names: &Many<String>) -> Result<Self, ConfigError> {
        let mut wanted = Self::default();
        let names = names.clone().into_vec();
        for name in names.iter().flat_map(|names| names.split(',')).map(str::trim) {
            match name.to_lowercase().as_str() {
                "" | "none" => {}
                "all" => {
                    wanted.rate = true;
                    wanted.methods.extend(METHODS.iter().map(|method| method.name));
                }
                "lr" | LEARNING_RATE => wanted.rate = true,
                _ => wanted.methods.push(method(name)?.name),
            }
        }
        Ok(wanted)
    }
}

fn method(name: &str) -> Result<&'static Method, ConfigError> {
    let known = METHODS.iter().filter(|method| method.rho.is_some()).map(|method| method.name);
    find(name).filter(|method| method.rho.is_some()).ok_or_else(|| {
        ConfigError::new("--search", "lr, methods with a radius, all or none", format!("{name:?}"))
            .suggest(suggestion(name, known))
    })
}
