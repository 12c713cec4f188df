//! [`Table`]: the one form of every table of the program, as text that fits its place and as HTML.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width};

use super::view::View;

/// No frame but a line below the head, which tells where the head ends and is not shown: each character is one part of
/// a frame, in the order of the crate's presets.
const FRAME: &str = "     -             ";
/// Spaces between columns.
const GAP: u16 = 2;

/// The head of a column, and what becomes of it where room is short.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    name: &'static str,
    alignment: CellAlignment,
    /// The column with the highest number leaves first; 0 stays.
    leaves: u8,
}

impl Column {
    /// A column of words.
    pub const fn left(name: &'static str) -> Self {
        Self { name, alignment: CellAlignment::Left, leaves: 0 }
    }

    /// A column of numbers: their points stand below each other.
    pub const fn right(name: &'static str) -> Self {
        Self { name, alignment: CellAlignment::Right, leaves: 0 }
    }

    /// Where room is short it leaves, before the columns of lower numbers.
    #[must_use]
    pub const fn leaves(self, turn: u8) -> Self {
        Self { leaves: turn, ..self }
    }
}

/// Rows that stand under a heading and a head of their own.
#[derive(Clone, Debug)]
struct Section {
    heading: String,
    rows: Vec<Vec<String>>,
}

/// Sections of rows under the same columns, which are as wide in all of them.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    sections: Vec<Section>,
    best_first: bool,
}

impl Table {
    /// Without rows yet.
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), sections: Vec::new(), best_first: false }
    }

    /// With `rows` of as many cells as there are columns, below `heading` where it is not empty. No rows, no section.
    #[must_use]
    pub fn section(mut self, heading: impl Into<String>, rows: Vec<Vec<String>>) -> Self {
        if !rows.is_empty() {
            self.sections.push(Section { heading: heading.into(), rows });
        }
        self
    }

    /// Without the columns in which every row of every section has a dash: nobody has such a number.
    #[must_use]
    pub fn without_gaps(mut self) -> Self {
        let rows = || self.sections.iter().flat_map(|section| &section.rows);
        let is_gap = |index| rows().all(|row: &Vec<String>| row[index] == "-");
        let kept: Vec<bool> = (0..self.columns.len()).map(|index| !is_gap(index)).collect();
        let mut columns = kept.iter();
        self.columns.retain(|_| columns.next() == Some(&true));
        for row in self.sections.iter_mut().flat_map(|section| &mut section.rows) {
            let mut cells = kept.iter();
            row.retain(|_| cells.next() == Some(&true));
        }
        self
    }

    /// The first row of each section is the one to look at.
    #[must_use]
    pub fn best_first(self) -> Self {
        Self { best_first: true, ..self }
    }

    /// As text for `view`: no line is longer than it is wide. Columns leave in their order, and a last line says
    /// which did; what is too wide even then goes on below, within its column. Empty without rows.
    pub fn text(&self, view: View) -> String {
        let width = view.width.filter(|_| !view.all_columns);
        let (shown, fits) = self.shown(width);
        let mut text = String::new();
        for section in &self.sections {
            if !section.heading.is_empty() {
                let start = if text.is_empty() { "" } else { "\n" };
                text += &format!("{start}{}\n", view.wrapped(&section.heading, 0));
            }
            let drawn = self.drawn(section, &shown, width.filter(|_| !fits));
            let mut is_head = true;
            let mut is_best = self.best_first;
            for line in drawn.lines() {
                if is_head && line.starts_with('-') {
                    is_head = false;
                    continue;
                }
                let strong = is_head || is_best;
                is_best &= is_head;
                text += &if strong { view.strong(&line) } else { line.trim_end().to_owned() };
                text.push('\n');
            }
        }
        let gone: Vec<&str> = (self.columns.iter().zip(&shown))
            .filter_map(|(column, shown)| (!shown).then_some(column.name))
            .collect();
        if !gone.is_empty() && !text.is_empty() {
            let note = format!("no room for: {} (--wide shows all columns)", gone.join(", "));
            text += &format!("{}\n", view.wrapped(&note, 0));
        }
        text
    }

    /// Which columns are shown in lines of `width`, and whether they fit.
    fn shown(&self, width: Option<usize>) -> (Vec<bool>, bool) {
        let mut shown = vec![true; self.columns.len()];
        let Some(width) = width else { return (shown, true) };
        let widths = self.widths();
        loop {
            let kept = widths.iter().zip(&shown).filter(|(_, shown)| **shown);
            let needed: usize = kept.map(|(width, _)| usize::from(*width + GAP)).sum();
            if needed <= width + usize::from(GAP) {
                return (shown, true);
            }
            let candidates = (0..shown.len()).filter(|&index| shown[index]);
            let next = candidates.max_by_key(|&index| self.columns[index].leaves);
            match next.filter(|&index| self.columns[index].leaves > 0) {
                Some(index) => shown[index] = false,
                None => return (shown, false),
            }
        }
    }

    /// The widest content of each column, head included.
    fn widths(&self) -> Vec<u16> {
        let mut all = comfy_table::Table::new();
        all.set_header(self.columns.iter().map(|column| column.name));
        all.add_rows(self.sections.iter().flat_map(|section| &section.rows));
        all.column_max_content_widths()
    }

    /// One section, its columns as wide as those of all sections, or all of it within `width`.
    fn drawn(&self, section: &Section, shown: &[bool], width: Option<usize>) -> comfy_table::Table {
        let mut table = comfy_table::Table::new();
        table.load_preset(FRAME).set_header(self.columns.iter().map(|column| column.name));
        table.add_rows(&section.rows);
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        }
        let last = shown.iter().rposition(|shown| *shown);
        let columns = self.columns.iter().zip(shown).zip(self.widths());
        for (drawn, ((column, shown), content)) in table.column_iter_mut().zip(columns) {
            let gap = if Some(drawn.index) == last { 0 } else { GAP };
            drawn.set_padding((0, gap)).set_cell_alignment(column.alignment);
            if !shown {
                drawn.set_constraint(ColumnConstraint::Hidden);
            } else if width.is_none() {
                let whole = Width::Fixed(content.saturating_add(gap));
                drawn.set_constraint(ColumnConstraint::LowerBoundary(whole));
            }
        }
        table
    }

    /// As HTML, every column of it.
    pub fn html(&self) -> String {
        let mut text = String::new();
        for section in &self.sections {
            if !section.heading.is_empty() {
                text += &format!("<h2>{}</h2>\n", escape(&section.heading));
            }
            text += "<div class=\"wide\"><table>\n<thead><tr>";
            for column in &self.columns {
                text += &format!("<th scope=\"col\">{}</th>", escape(column.name));
            }
            text += "</tr></thead>\n<tbody>\n";
            for row in &section.rows {
                let cells = row.iter().map(|cell| escape(&cell.replace("+-", "\u{b1}")));
                let cells: String = cells.map(|cell| format!("<td>{cell}</td>")).collect();
                text += &format!("<tr>{cells}</tr>\n");
            }
            text += "</tbody>\n</table></div>\n";
        }
        text
    }
}

/// `text` as it may stand in HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A fraction as percent without needless digits.
pub fn percent(fraction: f64) -> String {
    format!("{}", (fraction * 1e4).round() / 1e2)
}

/// A number with at most four significant digits: one that was multiplied together has sixteen.
pub fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    let is_plain = rounded == 0.0 || (1e-5..1e7).contains(&rounded.abs());
    if is_plain { rounded.to_string() } else { format!("{rounded:e}") }
}

/// A number with `digits` decimals, or a dash.
pub fn or_dash(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let columns = [
            Column::left("name"),
            Column::right("rho").leaves(1),
            Column::right("accuracy"),
            Column::right("sharpness").leaves(2),
        ];
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        Table::new(columns)
            .section("first", vec![row(["sam", "0.5", "91.2", "3"])])
            .section("second", vec![row(["info-asam", "2", "7.5", "12"])])
    }

    fn view(width: usize) -> View {
        View { width: Some(width), all_columns: false, bold: false }
    }

    #[test]
    fn every_column_where_there_is_room_or_all_are_wanted() {
        let wide = "\
first
name       rho  accuracy  sharpness
sam        0.5      91.2          3

second
name       rho  accuracy  sharpness
info-asam    2       7.5         12
";
        let all = View { all_columns: true, ..view(20) };
        for view in [View::PLAIN, view(35), all] {
            assert_eq!(sample().text(view), wide);
        }
    }

    #[test]
    fn columns_leave_in_their_order_in_all_sections_and_are_named() {
        let narrow = sample().text(view(34));
        assert!(narrow.contains("\nname       rho  accuracy\n"));
        assert!(
            narrow.ends_with("no room for: sharpness (--wide\nshows all columns)\n"),
            "{narrow}"
        );
        let narrower = sample().text(view(23));
        assert!(narrower.contains("\nname       accuracy\nsam            91.2\n"));
        assert!(narrower.lines().all(|line| line.len() <= 23), "{narrower}");
    }

    #[test]
    fn what_is_too_wide_even_then_goes_on_within_its_column() {
        let cells = ["agrees", "differs for sam, asam and vasso"].map(str::to_owned).to_vec();
        let columns = [Column::left("law"), Column::left("verdict")];
        let text = Table::new(columns).section("", vec![cells]).text(view(24));
        assert!(text.lines().all(|line| line.len() <= 24), "{text}");
        assert!(text.contains("agrees") && text.contains("\n        "), "{text}");
    }

    #[test]
    fn head_and_best_row_are_bold_where_they_may_be() {
        let view = View { bold: true, ..View::PLAIN };
        let text = sample().best_first().text(view);
        assert_eq!(text.matches("\u{1b}[1m").count(), 4, "{text}");
        assert!(text.contains("\u{1b}[1msam "), "{text}");
        assert_eq!(sample().text(view).matches("\u{1b}[1m").count(), 2);
        assert_eq!(Table::new([Column::left("none")]).section("x", Vec::new()).text(view), "");
    }

    #[test]
    fn a_column_that_nobody_fills_is_no_column() {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let half = sample().section("third", vec![row(["sgd", "-", "7", "-"])]);
        assert_eq!(half.clone().without_gaps().text(View::PLAIN), half.text(View::PLAIN));
        let rows = vec![row(["sgd", "-", "7", "3"]), row(["adamw", "-", "8", "4"])];
        let gone = Table { sections: Vec::new(), ..sample() }.section("", rows).without_gaps();
        assert_eq!(
            gone.text(View::PLAIN),
            "name   accuracy  sharpness\nsgd           7          3\nadamw         8          4\n"
        );
        assert_eq!([0.05, 1.000_000_000_000_2, 0.017_782_794].map(short), ["0.05", "1", "0.01778"]);
    }

    #[test]
    fn html_holds_every_column_escaped() {
        let row = ["<a>", "1 +- 2"].map(str::to_owned).to_vec();
        let table = Table::new([Column::left("a & b"), Column::right("c")]);
        let html = table.section("", vec![row]).html();
        for part in
            ["<th scope=\"col\">a &amp; b</th>", "<td>&lt;a&gt;</td>", "<td>1 \u{b1} 2</td>"]
        {
            assert!(html.contains(part), "{html}");
        }
    }
}
