//! Results on stdout, and lines beside them on stderr.

use std::fmt::Display;
use std::io::Write;

use crate::config::ConfigError;
use crate::error::Error;

/// Writes a result to stdout. A reader that has gone (`presam methods | head`) is no failure; a full disk is
/// one, and ends the program: a result that is half there must not look good.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(reason) if reason.kind() != std::io::ErrorKind::BrokenPipe => {
            aside(format_args!("error: stdout: expected a place to write to, found {reason}"));
            std::process::exit(2);
        }
        _ => {}
    }
}

/// Writes a line to stderr in one piece: under `mpirun`, what another process says would come between two. A stderr that
/// is closed is no failure.
pub(crate) fn aside(line: impl Display) {
    let _closed = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Writes one JSON document to stdout.
pub(crate) fn say_json<T: serde::Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|reason| ConfigError::new("--json", "a result that JSON can hold", reason))?;
    say(&format!("{text}\n"));
    Ok(())
}
