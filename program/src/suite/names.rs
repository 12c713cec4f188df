//! Rules as a user names them.

use presam_conformance::Rule;

use crate::config::ConfigError;
use crate::methods::find;
use presam_pipe::similar::suggestion;

/// The rule of that name or alias.
///
/// # Errors
/// A name that no rule has.
pub fn parse_rule(flag: &str, name: &str) -> Result<Rule, ConfigError> {
    let name = name.trim();
    let method = || find(name).and_then(|method| Rule::from_name(method.name));
    Rule::from_name(name).or_else(method).ok_or_else(|| {
        let names = Rule::all().into_iter().map(Rule::name);
        let expected = names.clone().collect::<Vec<_>>().join(", ");
        ConfigError::new(flag, expected, format!("{name:?}")).suggest(suggestion(name, names))
    })
}

/// Rules from `sam,asam`.
///
/// # Errors
/// A name that no rule has.
pub fn parse_rules(flag: &str, text: &str) -> Result<Vec<Rule>, ConfigError> {
    text.split(',').map(|name| parse_rule(flag, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_found_and_others_get_a_suggestion() {
        let names: Vec<_> = parse_rules("--rules", "sam, f-sam,pre-sam")
            .unwrap()
            .iter()
            .map(|r| r.name())
            .collect();
        assert_eq!(names, ["sam", "friendly-sam", "pre-sam"]);
        let wrong = parse_rules("--rules", "sam,vaso").unwrap_err().to_string();
        assert!(wrong.ends_with("found \"vaso\"; did you mean vasso?"), "{wrong}");
        assert!(parse_rule("--rule", "sgd").is_err(), "a method that is no rule");
    }
}
