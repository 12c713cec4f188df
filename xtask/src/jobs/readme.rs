//! The variant tables of docs/variants.md and the core's README, written from the core's own list.

use crate::command::{Outcome, kept, read, root};
use presam::VariantInfo;

/// The table stands between `<!-- variants -->` and `<!-- /variants -->`.
const MARK: &str = "variants";

/// Each page, and the folder of the variants' files seen from it (none: names without links, for
/// a page that docs.rs shows too).
const FILES: [(&str, Option<&str>); 2] =
    [("docs/variants.md", Some("../core/src/variants")), ("core/README.md", None)];

/// The passes of an ascent: one for the norm, one that perturbs. No variant needs a third.
const PASSES: usize = 2;

/// Bytes of a number of the table's cost column.
const F32: usize = 4;

pub(crate) fn readme(check_only: bool) -> Outcome {
    for (file, folder) in FILES {
        let new = replaced(&read(&root().join(file))?, MARK, &table(folder));
        let new = new.map_err(|reason| format!("{file}: {reason}"))?;
        kept(file, &new, check_only, "cargo xtask readme")?;
    }
    Ok(())
}

/// `text` with `table` between the two comments that name `mark`.
pub(crate) fn replaced(text: &str, mark: &str, table: &str) -> Result<String, String> {
    let (start, end) = (format!("<!-- {mark} -->"), format!("<!-- /{mark} -->"));
    let missing = || format!("expected one {start} and, after it, one {end}");
    let (before, rest) = text.split_once(&start).ok_or_else(missing)?;
    let (old, after) = rest.split_once(&end).ok_or_else(missing)?;
    if [before, old, after].iter().any(|part| part.contains(&start) || part.contains(&end)) {
        return Err(missing());
    }
    Ok(format!("{before}{start}\n{table}{end}{after}"))
}

/// The table, one row a variant in the list's order.
fn table(folder: Option<&str>) -> String {
    let mut text = String::from(
        "| Variant | Perturbation | C and D | Extra floats a parameter | Passes | Bytes a parameter (f32) | Source |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for info in presam::variants::ALL {
        let name = match folder {
            Some(folder) => {
                format!("[`{}`]({folder}/{}.rs)", info.name, info.name.replace('-', "_"))
            }
            None => format!("`{}`", info.name),
        };
        text += &format!(
            "| {name} | {} | {} | {} | {PASSES} | {} | {} |\n",
            code(info.formula),
            code(info.preconditioner),
            info.memory + 1,
            bytes(info),
            info.source.replace('|', "\\|"),
        );
    }
    text
}

/// What the two passes move: the norm reads its planes; the ascent reads w and g and writes the
/// perturbed parameter, reads and writes each memory plane and reads each input.
fn bytes(info: &VariantInfo) -> usize {
    F32 * info.norm_reads + F32 * (3 + 2 * info.memory + info.inputs)
}

/// A code span in a cell, where a bar would end the cell.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_between_the_marks_is_replaced() {
        let (start, end) = ("<!-- x -->", "<!-- /x -->");
        let text = format!("a\n{start}\nold\n{end}\nb");
        assert_eq!(replaced(&text, "x", "new\n").unwrap(), format!("a\n{start}\nnew\n{end}\nb"));
        for wrong in ["a", start, &format!("{end}{start}"), &format!("{text}{start}")] {
            assert!(replaced(wrong, "x", "new\n").is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_table_has_the_list_and_the_costs() {
        let table = table(Some("core/src/variants"));
        assert_eq!(table.lines().count(), 2 + presam::variants::ALL.len());
        let row = |name: &str| {
            let start = format!("| [`{name}`](");
            table.lines().find(|line| line.starts_with(&start)).unwrap().to_owned()
        };
        assert!(row("sam").contains(" | 1 | 2 | 16 | "), "{}", row("sam"));
        assert!(row("info-sam").contains(" | 3 | 2 | 40 | "), "{}", row("info-sam"));
        assert!(row("sam").contains("\\|\\|g\\|\\|"));
    }
}
