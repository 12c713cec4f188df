//! Rows under a head, as text for a terminal and as HTML: the one form of every table of this crate.

use super::page::escape;
use super::table::Style;

/// A table: the first column to the left, all others to the right, so that their points stand below each other.
pub(super) struct Columns<'a> {
    /// Column names.
    pub head: &'a [&'a str],
    /// Rows of as many cells; the first is the one to look at.
    pub rows: Vec<Vec<String>>,
}

impl Columns<'_> {
    /// Aligned with spaces; [`Style::Bold`] lifts out the head and the first row.
    pub fn text(&self, style: Style) -> String {
        let length = |cell: &str| cell.chars().count();
        let mut widths: Vec<usize> = self.head.iter().map(|name| length(name)).collect();
        for row in &self.rows {
            widths
                .iter_mut()
                .zip(row)
                .for_each(|(width, cell)| *width = (*width).max(length(cell)));
        }
        let bold = style == Style::Bold;
        let mut text = line(self.head, &widths, bold);
        let rule = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        text += &format!("{}\n", "-".repeat(rule));
        for (index, row) in self.rows.iter().enumerate() {
            text += &line(row, &widths, bold && index == 0);
        }
        text
    }

    /// As HTML, in a box that scrolls sideways where the page is narrow.
    pub fn html(&self) -> String {
        let mut text = String::from("<div class=\"wide\"><table>\n<thead><tr>");
        for name in self.head {
            text += &format!("<th scope=\"col\">{}</th>", escape(name));
        }
        text += "</tr></thead>\n<tbody>\n";
        for row in &self.rows {
            let cells = row.iter().map(|cell| escape(&cell.replace("+-", "\u{b1}")));
            let cells: String = cells.map(|cell| format!("<td>{cell}</td>")).collect();
            text += &format!("<tr>{cells}</tr>\n");
        }
        text + "</tbody>\n</table></div>\n"
    }
}

fn line<T: AsRef<str>>(cells: &[T], widths: &[usize], bold: bool) -> String {
    let mut text = String::new();
    for (index, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        let cell = cell.as_ref();
        text += &if index == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
    }
    if bold { format!("\u{1b}[1m{text}\u{1b}[0m\n") } else { format!("{}\n", text.trim_end()) }
}
