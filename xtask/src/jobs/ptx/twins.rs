//! Twins: rules whose entries are the same text but for their names. A text has the first of them only.

use super::fresh::Twin;

/// The twins among `names`, each with the first of the names that it equals to the letter.
pub(crate) fn twins<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Vec<Twin> {
    let pieces = pieces(text);
    let mut firsts: Vec<(String, &str)> = Vec::new();
    let mut twins = Vec::new();
    for name in names {
        let Some((_, piece)) = pieces.iter().find(|(entry, _)| *entry == Some(name)) else {
            continue;
        };
        let nameless = nameless(piece, name);
        match firsts.iter().find(|(other, _)| *other == nameless) {
            Some((_, first)) => twins.push((name.to_owned(), (*first).to_owned())),
            None => firsts.push((nameless, name)),
        }
    }
    twins
}

/// The text without the entries of twins.
pub(crate) fn once(text: &str, twins: &[Twin]) -> String {
    let is_twin = |name: &str| twins.iter().any(|(twin, _)| twin == name);
    let pieces = pieces(text).into_iter();
    pieces.filter(|(name, _)| !name.is_some_and(is_twin)).map(|(_, piece)| piece).collect()
}

/// kernels/src/entries/twins.rs with another list.
pub(crate) fn table(old: &str, twins: &[Twin]) -> Result<String, String> {
    let (before, rest) = old.split_once("&[\n").ok_or("expected a list")?;
    let (_, after) = rest.split_once("];\n").ok_or("expected the end of the list")?;
    let rows: String =
        twins.iter().map(|(twin, first)| format!("    ({twin:?}, {first:?}),\n")).collect();
    Ok(format!("{before}&[\n{rows}];\n{after}"))
}

/// The text in pieces: an entry with its name, and what stands outside of entries line by line.
fn pieces(text: &str) -> Vec<(Option<&str>, &str)> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let head = rest.strip_prefix(".visible .entry ");
        let name = head.and_then(|head| head.split('(').next()).map(str::trim);
        let end = if name.is_some() { "\n}\n" } else { "\n" };
        let end = rest.find(end).map_or(rest.len(), |at| at + end.len());
        let (piece, after) = rest.split_at(end);
        pieces.push((name, piece));
        rest = after;
    }
    pieces
}

/// An entry without its name and the number that its labels have of it.
fn nameless(piece: &str, name: &str) -> String {
    let mut parts = piece.split("$L__BB");
    let mut text = parts.next().unwrap_or_default().replace(name, "");
    for part in parts {
        let label = part.trim_start_matches(|digit: char| digit.is_ascii_digit());
        text += "$L__BB";
        text += &label.replace(name, "");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = ".version 7.0\n.shared .b8 s[4];\n\
        .visible .entry a_b(\n\t.param .u64 a_b_param_0\n)\n{\n$L__BB0_1:\n\tbra $L__BB0_1;\n\tret;\n}\n\
        .visible .entry c(\n\t.param .u64 c_param_0\n)\n{\n$L__BB12_1:\n\tbra $L__BB12_1;\n\tret;\n}\n\
        .visible .entry d(\n\t.param .u64 d_param_0\n)\n{\n$L__BB2_1:\n\tbra $L__BB2_2;\n\tret;\n}\n";

    #[test]
    fn an_entry_that_differs_in_its_name_alone_is_a_twin_of_the_first_named() {
        let found = twins(TEXT, ["d", "c", "a_b", "absent"].into_iter());
        assert_eq!(found, [("a_b".to_owned(), "c".to_owned())]);
        let one = once(TEXT, &found);
        let (before, after) =
            (TEXT.find(".visible").unwrap(), TEXT.find(".visible .entry c").unwrap());
        assert_eq!(one, [&TEXT[..before], &TEXT[after..]].concat());
        assert_eq!(once(TEXT, &[]), TEXT);
    }

    #[test]
    fn one_other_letter_makes_no_twin() {
        for (from, to) in [
            ("$L__BB12_1:", "$L__BB12_3:"),
            ("c_param_0", "c_param_1"),
            (".u64 c", ".u32 c"),
            ("bra $L__BB12_1;\n", "bra $L__BB12_1;\n\tbar.sync 0;\n"),
        ] {
            let text = TEXT.replace(from, to);
            assert_ne!(text, TEXT);
            assert_eq!(twins(&text, ["a_b", "c"].into_iter()), [], "{from} to {to}");
        }
    }

    #[test]
    fn the_list_is_written_between_its_brackets() {
        let list = [("b".to_owned(), "a".to_owned())];
        let text = table("//! x\nconst T: &[A] = &[\n    (\"c\", \"d\"),\n];\n", &list).unwrap();
        assert_eq!(text, "//! x\nconst T: &[A] = &[\n    (\"b\", \"a\"),\n];\n");
        assert!(table("nothing", &list).is_err());
    }
}
