//! The suffixes of an opcode. Each must be taken by somebody: what nobody took is not understood.

use crate::syntax::Type;

pub(super) struct Mods<'a> {
    words: Vec<Option<&'a str>>,
}

impl<'a> Mods<'a> {
    /// The base of an opcode and its suffixes.
    pub fn split(opcode: &'a str) -> (&'a str, Self) {
        let mut parts = opcode.split('.');
        let base = parts.next().unwrap_or("");
        (base, Self { words: parts.map(Some).collect() })
    }

    pub fn take(&mut self, word: &str) -> bool {
        self.take_any(&[word]).is_some()
    }

    /// The first of `words` that is there.
    pub fn take_any(&mut self, words: &[&str]) -> Option<&'a str> {
        self.take_if(|word| words.contains(&word))
    }

    pub fn take_if(&mut self, wanted: impl Fn(&str) -> bool) -> Option<&'a str> {
        self.words.iter_mut().find(|slot| slot.is_some_and(&wanted)).and_then(Option::take)
    }

    pub fn take_type(&mut self) -> Result<Type, String> {
        let word =
            self.take_if(|word| Type::from_suffix(word).is_some()).ok_or("no type suffix")?;
        Type::from_suffix(word).ok_or_else(|| format!("unknown type .{word}"))
    }

    pub fn finish(&self) -> Result<(), String> {
        match self.words.iter().flatten().next() {
            Some(word) => Err(format!("unknown suffix .{word}")),
            None => Ok(()),
        }
    }
}
