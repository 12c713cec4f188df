//! The table of docs/kernels.md: what each kernel takes, on each architecture.

use std::collections::BTreeMap;

use super::entry::Entry;
use super::fresh::{Twin, twin_lines};
use super::ptxas::{ARCHITECTURES, Usage};

/// A kernel: its text, its statements, and its usage by architecture (none: ptxas does not know it).
pub(crate) struct Row<'a> {
    pub(crate) text: &'a str,
    pub(crate) entry: &'a Entry<'a>,
    pub(crate) usages: BTreeMap<&'static str, Usage>,
}

impl Row<'_> {
    /// Stack and spills on any architecture.
    pub(crate) fn most(&self, of: impl Fn(&Usage) -> u32) -> u32 {
        self.usages.values().map(of).max().unwrap_or(0)
    }
}

/// The table, one row a kernel.
pub(crate) fn table<'a>(rows: impl Iterator<Item = &'a Row<'a>>) -> String {
    let mut text = format!(
        "| kernel | text | instructions | shuffles | barriers | {} | stack | spills |\n",
        ARCHITECTURES.join(" | ")
    );
    text += &format!("| --- | --- |{}\n", " ---: |".repeat(ARCHITECTURES.len() + 5));
    for row in rows {
        let registers = ARCHITECTURES.map(|architecture| {
            row.usages.get(architecture).map_or("-".into(), |usage| usage.registers.to_string())
        });
        text += &format!(
            "| `{}` | {} | {} | {} | {} | {} | {} | {} |\n",
            row.entry.name,
            row.text,
            row.entry.opcodes().count(),
            row.entry.count("shfl"),
            row.entry.count("bar"),
            registers.join(" | "),
            row.most(|usage| usage.stack),
            row.most(|usage| usage.spills),
        );
    }
    text
}

/// The 32-bit kernels that stand for several rules, below the table.
pub(crate) fn once(texts: &[&str], twins: &[Twin]) -> String {
    let lines = texts.iter().flat_map(|text| twin_lines(text, twins));
    let lines = lines.filter(|line| !line.contains("f16 = "));
    let lines: String =
        lines.map(|line| format!("- `{}`\n", line.replace(" = ", "` = `"))).collect();
    format!("Rules whose kernels are the same text to the letter share the first:\n\n{lines}")
}
