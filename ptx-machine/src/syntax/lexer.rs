//! Text to tokens. Comments go; everything else keeps its line.

use crate::error::ParseError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Identifiers, opcodes, directives and registers, dots included.
    Word,
    Number,
    Quoted,
    /// One of `{}[](),;:|!@<>=+-`.
    Mark,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub line: u32,
    pub start: usize,
}

pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, ParseError> {
    let mut lexer = Lexer { text, at: 0, line: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank()?;
        let (start, line) = (lexer.at, lexer.line);
        let kind = lexer.token()?;
        tokens.push(Token { kind, text: &text[start..lexer.at], line, start });
        if kind == Kind::End {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Lexer<'_> {
    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn ended(&self) -> bool {
        self.at >= self.text.len()
    }

    fn skip_blank(&mut self) -> Result<(), ParseError> {
        while !self.ended() {
            match (self.byte(0), self.byte(1)) {
                (b'\n', _) => {
                    self.line += 1;
                    self.at += 1;
                }
                (b, _) if b.is_ascii_whitespace() => self.at += 1,
                (b'/', b'/') => {
                    self.at =
                        self.text[self.at..].find('\n').map_or(self.text.len(), |n| self.at + n)
                }
                (b'/', b'*') => self.skip_block_comment()?,
                _ => break,
            }
        }
        Ok(())
    }

    fn skip_block_comment(&mut self) -> Result<(), ParseError> {
        let rest = &self.text[self.at..];
        let end =
            rest.find("*/").ok_or_else(|| ParseError::new(self.line, "a comment without end"))?;
        self.line +=
            u32::try_from(rest[..end].matches('\n').count()).unwrap_or(u32::MAX - self.line);
        self.at += end + 2;
        Ok(())
    }

    fn token(&mut self) -> Result<Kind, ParseError> {
        if self.ended() {
            return Ok(Kind::End);
        }
        match self.byte(0) {
            b'0'..=b'9' => {
                self.take_while(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_');
                Ok(Kind::Number)
            }
            b'"' => self.quoted(),
            b if is_word(b) || b == b'%' => {
                self.at += 1;
                self.word();
                Ok(Kind::Word)
            }
            b'{' | b'}' | b'[' | b']' | b'(' | b')' | b',' | b';' | b':' | b'|' | b'!' | b'@'
            | b'<' | b'>' | b'=' | b'+' | b'-' => {
                self.at += 1;
                Ok(Kind::Mark)
            }
            _ => {
                let found = self.text[self.at..].chars().next().unwrap_or(' ');
                Err(ParseError::new(self.line, format!("unexpected character {found:?}")))
            }
        }
    }

    fn quoted(&mut self) -> Result<Kind, ParseError> {
        self.at += 1;
        self.take_while(|b| b != b'"' && b != b'\n');
        if self.byte(0) != b'"' {
            return Err(ParseError::new(self.line, "a text in quotes without end"));
        }
        self.at += 1;
        Ok(Kind::Quoted)
    }

    /// A word goes on over `::` (as in `.shared::cta`) but not over the colon of a label.
    fn word(&mut self) {
        loop {
            self.take_while(is_word);
            if self.byte(0) == b':' && self.byte(1) == b':' && is_word(self.byte(2)) {
                self.at += 2;
            } else {
                return;
            }
        }
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while !self.ended() && wanted(self.byte(0)) {
            self.at += 1;
        }
    }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'.')
}
