//! Settings that are one word of a few.

use clap::ValueEnum;

use super::ConfigError;
use presam_pipe::similar::suggestion;

/// The word that `text` is, in any case; the default where there is no text.
pub(super) fn word<T: ValueEnum + Default>(
    flag: &str,
    text: Option<&str>,
) -> Result<T, ConfigError> {
    let Some(text) = text else { return Ok(T::default()) };
    T::from_str(text, true).map_err(|_| {
        let names: Vec<String> = T::value_variants().iter().map(name).collect();
        ConfigError::new(flag, names.join(" or "), format!("{text:?}"))
            .suggest(suggestion(text, names.iter().map(String::as_str)))
    })
}

/// As it is written.
pub(super) fn name<T: ValueEnum>(value: &T) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}
