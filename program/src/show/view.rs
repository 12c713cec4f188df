//! [`View`]: the place where text is shown, and text broken at words to fit it.

use std::io::IsTerminal;

use textwrap::{Options, WordSplitter};

/// How wide the place is and what it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Characters in a line; `None` where nothing needs to fit: files and pipes.
    pub width: Option<usize>,
    /// Whether tables keep every column, however wide the place is.
    pub all_columns: bool,
    /// Whether letters may be bold.
    pub bold: bool,
}

impl View {
    /// For files and pipes: all of it, on lines as long as they are.
    pub const PLAIN: Self = Self { width: None, all_columns: true, bold: false };

    /// Standard output. A terminal sets the width, unless `all_columns` asks for more, and has bold letters unless
    /// `NO_COLOR` forbids them.
    pub fn of_stdout(all_columns: bool) -> Self {
        if !std::io::stdout().is_terminal() {
            return Self::PLAIN;
        }
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { width: Some(textwrap::termwidth()), all_columns, bold: !no_colour }
    }

    /// `text` with its lines broken at spaces where they are too long; what is broken off goes on `indent` characters
    /// to the right. A word that is too long by itself stays whole, so that it can be copied.
    pub fn wrapped(self, text: &str, indent: usize) -> String {
        let Some(width) = self.width else { return text.to_owned() };
        let indent = " ".repeat(indent);
        let options = Options::new(width)
            .subsequent_indent(&indent)
            .word_splitter(WordSplitter::NoHyphenation)
            .break_words(false);
        let lines = text.split('\n').map(|line| textwrap::fill(line, &options));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// `text`, lifted out where that can be done.
    pub fn strong(self, text: &str) -> String {
        if self.bold { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.trim_end().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_only_and_words_stay_whole() {
        let view = View { width: Some(20), ..View::PLAIN };
        let text = "worse: info-sam-draft and momentum-sam";
        assert_eq!(view.wrapped(text, 2), "worse:\n  info-sam-draft and\n  momentum-sam");
        let command = "--methods sam,info-asam,momentum-sam";
        assert_eq!(view.wrapped(command, 0), "--methods\nsam,info-asam,momentum-sam");
        assert_eq!(view.wrapped("one\ntwo\n", 4), "one\ntwo\n");
        assert_eq!(View::PLAIN.wrapped(text, 2), text);
    }
}
