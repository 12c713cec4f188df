//! Names of methods and keys as the lists have them: two spellings of one name are one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;

use super::{BASE_TABLE, ConfigError};
use crate::methods::{BASES, find, find_key};

/// The method's name in the list; any other text as it stands, for [`super::resolve`] to refuse.
pub(super) fn method_name(written: &str) -> String {
    find(written).map_or(written, |method| method.name).to_owned()
}

/// Likewise of a table of settings: a method's, or that of the base optimizers, whose name is an alias of sgd elsewhere.
pub(super) fn table_name(written: &str) -> String {
    if written == BASE_TABLE { written.to_owned() } else { method_name(written) }
}

/// Likewise of a key: a method's or, in their common table, any base optimizer's.
pub(super) fn key_name(owner: &str, written: &str) -> String {
    let key = if owner == BASE_TABLE {
        BASES.iter().find_map(|base| find_key(base.keys, written))
    } else {
        find(owner).and_then(|method| find_key(method.keys, written))
    };
    key.map_or(written, |key| key.name).to_owned()
}

/// The values under the names that `name` gives them.
///
/// # Errors
/// Two spellings of one name: which of them was meant nobody knows.
pub(super) fn named<V>(
    place: impl Display,
    written: BTreeMap<String, V>,
    name: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, V>, ConfigError> {
    let mut named = BTreeMap::new();
    for (spelling, value) in written {
        match named.entry(name(&spelling)) {
            Entry::Vacant(free) => {
                free.insert((spelling, value));
            }
            Entry::Occupied(taken) => {
                let found = format!("{} and {spelling}", taken.get().0);
                return Err(ConfigError::new(place, "each name in one spelling", found));
            }
        }
    }
    Ok(named.into_iter().map(|(name, (_, value))| (name, value)).collect())
}

#[cfg(test)]
mod tests {
    use crate::config::{Options, parse_rho, parse_setting, resolve};

    /// Methods, keys and one value everywhere, as flags and as a file.
    fn written([sam, asam, friendly, eta, momentum]: [&str; 5], value: f64) -> (Options, Options) {
        let rho = parse_rho(&format!("{sam}=1,{friendly}=1,{sam}={value},{friendly}={value}"));
        let mut flags = Options { rho: rho.unwrap(), ..Options::default() };
        for (owner, key) in [(asam, eta), (friendly, "sigma"), ("base", momentum)] {
            let (method, key, value) = parse_setting(&format!("{owner}.{key}={value}")).unwrap();
            flags.set.entry(method).or_default().insert(key, value);
        }
        let file = format!(
            "methods = \"all\"\nrho = {{ {sam} = {value}, {friendly} = {value} }}\n\
             [set.{asam}]\n{eta} = {value}\n[set.{friendly}]\nSigma = {value}\n\
             [set.base]\n{momentum} = {value}\n"
        );
        (flags, Options::parse("x.toml", &file).unwrap())
    }

    #[test]
    fn flags_win_over_the_file_whatever_the_spelling() {
        let spellings = [
            ["sam", "asam", "friendly-sam", "eta", "momentum"],
            ["SAM", "Asam", "f-sam", "ETA", "Momentum"],
            ["Sam", "a_sam", "FSAM", "e-t-a", "MOMENTUM"],
        ];
        for of_flags in spellings {
            for of_file in spellings {
                let ((flags, _), (_, file)) = (written(of_flags, 0.75), written(of_file, 0.25));
                let config = resolve(flags.over(file)).unwrap();
                let found = [
                    config.rho("sam"),
                    config.rho("friendly-sam"),
                    config.setting("asam", "eta"),
                    config.setting("friendly-sam", "sigma"),
                    config.setting("base", "momentum"),
                ];
                assert_eq!(found, [Some(0.75); 5], "{of_flags:?} over {of_file:?}");
            }
        }
    }

    #[test]
    fn of_two_spellings_the_last_flag_counts_and_a_file_is_refused() {
        let rho = parse_rho("SAM=1,sam=2,Sam=3").unwrap();
        assert_eq!(rho.each.into_iter().collect::<Vec<_>>(), [("sam".to_owned(), 3.0)]);
        for (text, place, found) in [
            ("rho = { sam = 1, SAM = 2 }", "rho", "SAM and sam"),
            ("[set.fsam]\n[set.f-sam]", "set", "f-sam and fsam"),
            ("[set.asam]\neta = 1\nETA = 2", "set.asam", "ETA and eta"),
        ] {
            let message = Options::parse("x.toml", text).unwrap_err().to_string();
            let expected = format!("x.toml: {place}: expected each name in one spelling");
            assert_eq!(message, format!("{expected}, found {found}"));
        }
    }
}
