//! A file that can be read at one sitting.

use super::Fault;
use crate::command::read;
use std::path::Path;

const MOST_LINES: usize = 400;
/// A longer file says why in a comment that starts with these words.
const REASON: &str = "// Longer than 400 lines because ";

pub(super) fn faults(file: &Path) -> Result<Vec<Fault>, String> {
    let text = read(file)?;
    let lines = text.lines().count();
    let reasoned = text.lines().any(|line| line.trim_start().starts_with(REASON));
    if lines <= MOST_LINES || reasoned {
        return Ok(Vec::new());
    }
    let what = format!("expected at most {MOST_LINES} lines or `{REASON}..`, found {lines} lines");
    Ok(vec![Fault { place: file.to_path_buf(), what }])
}
