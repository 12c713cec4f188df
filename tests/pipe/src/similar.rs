//! Names as people type them: case, hyphens and underscores do not matter, and a slip gets a suggestion.

/// The name without case, hyphen and underscore.
#[must_use]
pub fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
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
