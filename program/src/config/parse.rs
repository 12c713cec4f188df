//! The small languages of single flags: seeds, radii, settings, lists of numbers.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::names::{key_name, method_name, table_name};
use super::{ConfigError, RhoOption};

const SEEDS: &str = "a count (24), a list (3,7,9) or a range whose end is left out (100..124)";
/// More runs than anybody waits for; a slip of the keyboard must not fill the memory.
const MOST_SEEDS: u64 = 100_000;

/// Seeds from `24` (0 to 23), `3,7,9` or `100..124` (100 to 123).
///
/// # Errors
/// No seed at all, one given twice, more than 100,000, or text of another form.
pub fn parse_seeds(text: &str) -> Result<Vec<u64>, ConfigError> {
    let wrong = || ConfigError::new("--seeds", SEEDS, format!("{text:?}"));
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    if text.contains(',') {
        let seeds = text.split(',').map(number).collect::<Result<Vec<_>, _>>()?;
        let distinct: BTreeSet<_> = seeds.iter().collect();
        return if distinct.len() == seeds.len() {
            Ok(seeds)
        } else {
            Err(ConfigError::new("--seeds", "each seed once", format!("{text:?}")))
        };
    }
    let (first, end) = match text.split_once("..") {
        Some((first, end)) => (number(first)?, number(end)?),
        None => (0, number(text)?),
    };
    match end.checked_sub(first) {
        Some(1..=MOST_SEEDS) => Ok((first..end).collect()),
        _ => Err(wrong()),
    }
}

/// Radii from `0.05`, `sam=0.5,asam=2` or both (`0.05,asam=2`), under the list's names of the methods: of two radii for one
/// method, in whatever spelling, the last counts.
///
/// # Errors
/// Text of another form; whether methods exist and values fit is checked later, by [`super::resolve`].
pub fn parse_rho(text: &str) -> Result<RhoOption, ConfigError> {
    let wrong = || {
        ConfigError::new("--rho", "a number (0.05) or a list (sam=0.5,asam=2)", format!("{text:?}"))
    };
    let mut rho = RhoOption::default();
    for part in text.split(',') {
        match part.split_once('=') {
            Some((method, value)) => {
                let value = value.trim().parse().map_err(|_| wrong())?;
                rho.each.insert(method_name(method.trim()), value);
            }
            None if rho.all.is_none() => rho.all = Some(part.trim().parse().map_err(|_| wrong())?),
            None => return Err(wrong()),
        }
    }
    Ok(rho)
}

/// Method, key and value from `METHOD.KEY=VALUE`, by the lists' names.
///
/// # Errors
/// Text of another form.
pub fn parse_setting(text: &str) -> Result<(String, String, f64), ConfigError> {
    let parts = || {
        let (name, value) = text.split_once('=')?;
        let (method, key) = name.split_once('.')?;
        let (method, key) = (method.trim(), key.trim());
        Some((table_name(method), key_name(method, key), value.trim().parse().ok()?))
    };
    parts().ok_or_else(|| {
        ConfigError::new(
            "--set",
            "METHOD.KEY=NUMBER (info-sam.relative_damping=0.1)",
            format!("{text:?}"),
        )
    })
}

/// Numbers separated by commas; `flag` stands in the error.
///
/// # Errors
/// A part that is no such number.
pub fn parse_numbers<T: FromStr>(
    flag: &str,
    expected: &str,
    text: &str,
) -> Result<Vec<T>, ConfigError> {
    let number = |part: &str| {
        part.trim().parse().map_err(|_| ConfigError::new(flag, expected, format!("{text:?}")))
    };
    text.split(',').map(number).collect()
}
