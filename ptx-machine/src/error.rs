//! What can be wrong with a text.

use std::fmt;

/// A text that is not understood: it names the line and says what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    line: u32,
    message: String,
    instruction: Option<String>,
}

impl ParseError {
    pub(crate) fn new(line: u32, message: impl Into<String>) -> Self {
        Self { line, message: message.into(), instruction: None }
    }

    pub(crate) fn in_instruction(mut self, text: &str) -> Self {
        self.instruction = Some(text.split_whitespace().collect::<Vec<_>>().join(" "));
        self
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// What was found.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The instruction as written, where the fault lies in one.
    #[must_use]
    pub fn instruction(&self) -> Option<&str> {
        self.instruction.as_deref()
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)?;
        if let Some(instruction) = &self.instruction {
            write!(f, ", in `{instruction}`")?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseError {}
