//! Progress on stderr: a bar where somebody watches, nothing where nobody does.

use std::io::IsTerminal;
use std::sync::Mutex;

use crate::command::say::aside;
use crate::progress::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows the messages of a running comparison.
pub(crate) struct Display {
    bar: Mutex<ProgressBar>,
    quiet: bool,
}

impl Display {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { bar: Mutex::new(ProgressBar::hidden()), quiet }
    }

    /// Takes one message, from any thread.
    pub(crate) fn show(&self, message: Progress<'_>) {
        // A thread that died while it held the lock left a bar that still counts.
        let mut bar = self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.quiet {
            return;
        }
        match message {
            Progress::Start { epochs, what } => {
                bar.finish_and_clear();
                *bar = self::bar(epochs, what, "epochs");
            }
            Progress::Epoch => bar.inc(1),
            Progress::Finished(run) => bar.set_message(format!(
                "{} seed {}: {:.1} %",
                run.method,
                run.seed,
                100.0 * run.final_test_accuracy
            )),
            Progress::Note(text) => bar.suspend(|| note(text)),
        }
    }

    /// Takes the bar away, so that results follow on a clean line.
    pub(crate) fn clear(&self) {
        self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner).finish_and_clear();
    }
}

/// Writes a line on stderr, broken at words where that is a terminal.
pub(crate) fn note(text: &str) {
    if std::io::stderr().is_terminal() {
        aside(textwrap::fill(text, textwrap::termwidth()));
    } else {
        aside(text);
    }
}

/// A bar of `length` steps called `unit`; indicatif draws nothing where stderr is no terminal.
pub(crate) fn bar(length: u64, what: &str, unit: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    let form = format!("{what} [{{bar:30}}] {{pos}}/{{len}} {unit}, {{eta}} left  {{wide_msg}}");
    match ProgressStyle::with_template(&form) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
