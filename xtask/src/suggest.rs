//! The name that a misspelt one was meant to be.

/// The nearest of `names` by edits, where at most a third of the letters are wrong.
pub(crate) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = typed.len().max(3) / 3;
    let scored = names.map(|name| (distance(typed, name), name));
    scored.min().filter(|&(edits, _)| edits <= most).map(|(_, name)| name)
}

/// Levenshtein's distance: insertions, deletions and replacements from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let replaced = diagonal + usize::from(from != to);
            diagonal = *slot;
            left = replaced.min(left + 1).min(*slot + 1);
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("fmt", "fmt"), 0);
    }

    #[test]
    fn far_names_are_not_suggested() {
        assert_eq!(nearest("featurs", ["fmt", "features"].into_iter()), Some("features"));
        assert_eq!(nearest("xyz", ["fmt", "features"].into_iter()), None);
    }
}
