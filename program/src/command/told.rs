//! A comparison in words: what `presam train` prints at its end, and `presam report` again.

use crate::report::{Results, headline, speed_table, table, tuning_table};
use crate::show::view::View;

/// The results as `view` shows them; the digest is the last line, after the page where one was written.
pub(crate) fn told(results: &Results, page: Option<&str>, view: View) -> String {
    // A blank line behind a table, where there is one.
    let spaced = |table: String| if table.is_empty() { table } else { table + "\n" };
    let sentences: String =
        results.sentences.iter().map(|said| sentence(said, view) + "\n").collect();
    let page = page.map_or_else(String::new, |page| format!("report: {page}\n"));
    // Sentences have a blank line behind them, where there are some.
    let gap = if sentences.is_empty() { "" } else { "\n" };
    format!(
        "{}\n\n{}{}\n{}{sentences}{gap}{page}digest: {}\n",
        view.wrapped(&headline(results), 0),
        spaced(tuning_table(results).text(view)),
        table(results, view),
        spaced(speed_table(results).text(view)),
        results.digest
    )
}

/// A sentence; in a terminal the command at its end has a line of its own, whole, to be copied.
fn sentence(said: &str, view: View) -> String {
    match said.split_once(": presam ").filter(|_| view.width.is_some()) {
        Some((words, flags)) => {
            format!("{}\n  presam {flags}", view.wrapped(&format!("{words}:"), 0))
        }
        None => view.wrapped(said, 0),
    }
}
