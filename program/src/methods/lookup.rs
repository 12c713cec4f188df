//! Names as people type them: case, hyphens and underscores do not matter, and a slip gets a suggestion.

use super::{Key, METHODS, Method};

/// The name without case, hyphen and underscore.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

/// The method of that name or alias.
pub fn find(name: &str) -> Option<&'static Method> {
    let wanted = plain(name);
    METHODS.iter().find(|method| plain(method.name) == wanted).or_else(|| {
        METHODS.iter().find(|method| method.aliases.iter().any(|alias| plain(alias) == wanted))
    })
}

/// The key of that name, by the same rules.
pub fn find_key(keys: &'static [Key], name: &str) -> Option<&'static Key> {
    let wanted = plain(name);
    keys.iter().find(|key| plain(key.name) == wanted)
}

/// The most similar of `names`, if one is similar enough to be meant.
pub fn suggestion<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = plain(wrong);
    names
        .into_iter()
        .map(|name| {
            let name_plain = plain(name);
            let slips = strsim::damerau_levenshtein(&wrong, &name_plain);
            (slips, strsim::jaro_winkler(&wrong, &name_plain), name)
        })
        // One slip in three letters is still a typing error; more is another word.
        .filter(|(slips, _, _)| *slips <= wrong.chars().count().div_ceil(3))
        .min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)))
        .map(|(_, _, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_match_without_case_hyphen_or_underscore() {
        for name in ["info-asam", "InfoASAM", "INFO_ASAM", "infoasam"] {
            assert_eq!(find(name).unwrap().name, "info-asam");
        }
        assert_eq!(find("f-sam").unwrap().name, "friendly-sam");
        assert_eq!(find("salm"), None);
        let names = || METHODS.iter().map(|method| method.name);
        assert_eq!(suggestion("info-aasm", names()), Some("info-asam"));
        assert_eq!(suggestion("vaso", names()), Some("vasso"));
        assert_eq!(suggestion("xyz", names()), None);
    }

    #[test]
    fn every_name_and_alias_is_unique_and_every_default_within_its_limits() {
        let mut seen = BTreeSet::new();
        for method in METHODS {
            for name in std::iter::once(&method.name)
                .chain(method.aliases)
                .map(|name| plain(name))
                .collect::<BTreeSet<_>>()
            {
                assert!(seen.insert(name.clone()), "{name} twice");
            }
            assert_eq!(find(method.name), Some(method));
            assert_eq!(method.rho.is_none(), method.name == "sgd");
            for key in method.keys {
                assert!(key.limits.hold(key.default), "{}.{}", method.name, key.name);
            }
        }
        for base in super::super::BASES {
            assert!(base.keys.iter().all(|key| key.limits.hold(key.default)), "{}", base.name);
        }
    }
}
