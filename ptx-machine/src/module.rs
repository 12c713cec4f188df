//! A text, understood.

use crate::code::{Code, Function};
use crate::error::ParseError;
use crate::{decode, syntax};
use std::sync::atomic::{AtomicU64, Ordering};

/// A PTX text, parsed and decoded once, to be launched any number of times.
#[derive(Debug)]
pub struct Module {
    pub(crate) text: String,
    pub(crate) code: Code,
    pub(crate) number: u64,
    version: (u32, u32),
    target: u32,
}

/// An entry of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The name to launch it by.
    pub name: String,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
    /// Instructions in its text.
    pub instructions: usize,
}

/// A parameter of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name in the text.
    pub name: String,
    /// Bytes.
    pub bytes: u32,
}

impl Module {
    /// Reads PTX text. All of it is checked, launched or not: what is not understood is an error here.
    ///
    /// # Errors
    /// The first line that is not understood: unknown directive, instruction, suffix or name, a register of
    /// the wrong width, a version or target newer than known.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let source = syntax::parse(text)?;
        let code = decode::decode(text, &source)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            text: text.to_owned(),
            code,
            number,
            version: source.version,
            target: source.target,
        })
    }

    /// The entries, in the order of the text.
    pub fn kernels(&self) -> impl Iterator<Item = Kernel> {
        self.code.functions.iter().filter(|function| function.entry).map(|function| Kernel {
            name: function.name.clone(),
            parameters: function
                .params
                .iter()
                .map(|slot| Parameter { name: slot.name.clone(), bytes: slot.bytes })
                .collect(),
            instructions: (function.end - function.start) as usize - 1,
        })
    }

    /// `.version`, major and minor.
    #[must_use]
    pub fn version(&self) -> (u32, u32) {
        self.version
    }

    /// The number in `.target sm_70`.
    #[must_use]
    pub fn target(&self) -> u32 {
        self.target
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&Function> {
        self.code.functions.iter().find(|function| function.entry && function.name == name)
    }

    /// An instruction as written.
    pub(crate) fn instruction_text(&self, at: u32) -> String {
        let span = self.code.notes.get(at as usize).map_or((0, 0), |note| note.span);
        self.text.get(span.0..span.1).unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn line(&self, at: u32) -> u32 {
        self.code.notes.get(at as usize).map_or(0, |note| note.line)
    }
}
