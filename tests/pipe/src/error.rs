//! What a command can do instead of answering: one line each.

use std::fmt;

/// Why a command cannot be tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PipeError {
    /// The shell found no such command.
    NotFound {
        /// The command.
        command: String,
        /// What the shell's exit status says.
        status: String,
    },
    /// The shell itself could not be started.
    NotStarted {
        /// The reason that the system gives.
        reason: String,
    },
    /// The command ended.
    Died {
        /// What it was to send.
        awaited: String,
        /// How it ended.
        status: String,
    },
    /// Nothing came in time from a command that lives.
    Hung {
        /// What it was to send.
        awaited: String,
        /// Seconds waited.
        seconds: String,
    },
    /// A line that is not what the protocol says.
    Rubbish {
        /// What it was to send.
        awaited: String,
        /// What is wrong with it.
        reason: String,
        /// The line, shortened.
        line: String,
    },
    /// A plane, or a list of them, of another length than the request's.
    WrongLength {
        /// The answer.
        awaited: String,
        /// Which list: `segment 0: perturbed`.
        place: String,
        /// The length it should have.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// Lines that nobody asked for, or one without an end.
    Flood {
        /// Which of the two.
        reason: String,
    },
    /// Another version of the protocol.
    WrongVersion {
        /// This one.
        expected: &'static str,
        /// The one that its `hello` names.
        found: String,
    },
    /// A name in `hello` that the protocol does not know.
    Unknown {
        /// What kind of name.
        kind: &'static str,
        /// The name.
        found: String,
        /// What was probably meant.
        meant: Option<&'static str>,
    },
    /// Any of these, while a case was asked.
    Asked {
        /// What it did.
        fault: Box<Self>,
        /// What was asked: `info-sam over sgd, f64`.
        case: String,
    },
    /// The command offers nothing of what was asked for.
    NothingInCommon {
        /// What was asked for: `rules vasso`.
        asked: String,
        /// What it offers.
        offered: String,
    },
}

impl PipeError {
    /// A line that cannot be read, shortened.
    pub(crate) fn rubbish(awaited: &str, line: &[u8], reason: impl fmt::Display) -> Self {
        Self::Rubbish {
            awaited: awaited.to_owned(),
            reason: reason.to_string(),
            line: shortened(line),
        }
    }
}

/// The start of a text that a command chose, as a terminal may show it.
pub(crate) fn plain(text: &str) -> String {
    const SHOWN: usize = 200;
    text.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

/// The start of a line as text, in quotes.
pub(crate) fn shortened(line: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = String::from_utf8_lossy(line.get(..SHOWN).unwrap_or(line));
    let more = if line.len() > SHOWN {
        format!(" and {} bytes", line.len() - SHOWN)
    } else {
        String::new()
    };
    format!("{text:?}{more}")
}

impl fmt::Display for PipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked { fault, case } => write!(f, "{fault} (asked: {case})"),
            Self::NotFound { command, status } => {
                write!(f, "expected a command that can be run, found {command:?} ({status})")
            }
            Self::NotStarted { reason } => write!(f, "no shell to start the command: {reason}"),
            Self::Died { awaited, status } => {
                write!(f, "the command died ({status}) where {awaited} was expected")
            }
            Self::Hung { awaited, seconds } => {
                write!(
                    f,
                    "the command hangs: it lives, and {awaited} did not come within {seconds} s; "
                )?;
                // The usual reason: output to a pipe stays in a buffer.
                f.write_str("is every line flushed (Python: flush=True, or python3 -u)?")
            }
            Self::Rubbish { awaited, reason, line } => {
                write!(f, "{awaited} cannot be read: {reason}; found {line}")
            }
            Self::WrongLength { awaited, place, expected, found } => {
                write!(
                    f,
                    "{awaited} has a wrong length: {place}: expected {expected}, found {found}"
                )
            }
            Self::Flood { reason } => write!(f, "the command floods its output: {reason}"),
            Self::WrongVersion { expected, found } => {
                write!(f, "expected the protocol {expected}, found {found:?}")
            }
            Self::Unknown { kind, found, meant } => {
                write!(f, "its hello names the {kind} {found:?}, which is unknown")?;
                meant.map_or(Ok(()), |meant| write!(f, "; did it mean {meant}?"))
            }
            Self::NothingInCommon { asked, offered } => {
                write!(f, "nothing to test: asked for {asked}, its hello offers {offered}")
            }
        }
    }
}

impl std::error::Error for PipeError {}
