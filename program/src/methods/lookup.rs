//! Methods and keys by the names that people type.

use super::{Key, METHODS, Method};
use presam_pipe::similar::plain;

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

#[cfg(test)]
mod tests {
    use super::*;
    use presam_pipe::similar::suggestion;
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
