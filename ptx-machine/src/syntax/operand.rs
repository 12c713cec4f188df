//! Operands and numbers.

use super::lexer::Kind;
use super::parser::Parser;
use super::{AddressBase, Operand};
use crate::error::ParseError;

impl Parser<'_> {
    pub fn operand(&mut self) -> Result<Operand, ParseError> {
        if self.accept("[") {
            self.address()
        } else if self.accept("{") {
            self.sequence("}").map(Operand::Vector)
        } else if self.accept("(") {
            self.sequence(")").map(Operand::List)
        } else {
            let first = self.simple()?;
            if self.accept("|") {
                return Ok(Operand::Pair(Box::new(first), Box::new(self.simple()?)));
            }
            self.with_offset(first)
        }
    }

    /// `symbol+8` as a value.
    fn with_offset(&mut self, first: Operand) -> Result<Operand, ParseError> {
        match first {
            Operand::Name(name) if self.is_mark("+") => {
                let offset = self.offset()?;
                Ok(Operand::Address { base: AddressBase::Name(name), offset })
            }
            other => Ok(other),
        }
    }

    fn simple(&mut self) -> Result<Operand, ParseError> {
        if self.accept("!") {
            return Ok(Operand::Not(self.word("a predicate")?.to_owned()));
        }
        if self.peek().kind == Kind::Word {
            return Ok(Operand::Name(self.next().text.to_owned()));
        }
        self.number()
    }

    fn sequence(&mut self, close: &str) -> Result<Vec<Operand>, ParseError> {
        let mut operands = Vec::new();
        if self.accept(close) {
            return Ok(operands);
        }
        loop {
            operands.push(self.simple()?);
            if self.accept(close) {
                return Ok(operands);
            }
            self.expect(",")?;
        }
    }

    fn address(&mut self) -> Result<Operand, ParseError> {
        let operand = if self.peek().kind == Kind::Word {
            let base = AddressBase::Name(self.next().text.to_owned());
            let offset = if self.is_mark("+") || self.is_mark("-") { self.offset()? } else { 0 };
            Operand::Address { base, offset }
        } else {
            let offset = self.integer()?.cast_signed();
            Operand::Address { base: AddressBase::Absolute, offset }
        };
        self.expect("]")?;
        Ok(operand)
    }

    /// `+8`, `+-8` or `-8`.
    pub fn offset(&mut self) -> Result<i64, ParseError> {
        self.accept("+");
        Ok(self.integer()?.cast_signed())
    }

    pub fn integer(&mut self) -> Result<u64, ParseError> {
        match self.number()? {
            Operand::Integer(value) => Ok(value),
            _ => Err(self.wrong("expected an integer, found a floating-point number")),
        }
    }

    pub fn small(&mut self, what: &str) -> Result<u32, ParseError> {
        let value = self.integer()?;
        u32::try_from(value).map_err(|_| self.wrong(format!("{what} {value} is out of range")))
    }

    pub fn number(&mut self) -> Result<Operand, ParseError> {
        let negative = self.accept("-");
        if self.peek().kind != Kind::Number {
            return Err(self.wrong(format!("expected an operand, found {}", self.found())));
        }
        let text = self.peek().text;
        let value = literal(text).ok_or_else(|| self.wrong(format!("`{text}` is not a number")))?;
        self.next();
        match (negative, value) {
            (true, Operand::Integer(value)) => Ok(Operand::Integer(value.wrapping_neg())),
            (true, _) => Err(self.wrong("a minus before a floating-point number in bits")),
            (false, value) => Ok(value),
        }
    }
}

/// `12`, `12U`, `0x1F`, `017`, `0b101`, `0f3F800000`, `0d3FF0000000000000`.
fn literal(text: &str) -> Option<Operand> {
    let exact = |digits: &str, count: usize| {
        (digits.len() == count && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .then(|| u64::from_str_radix(digits, 16).ok())
            .flatten()
    };
    let (prefix, rest) =
        if text.len() > 2 && text.is_char_boundary(2) { text.split_at(2) } else { ("", text) };
    match prefix {
        "0f" | "0F" => {
            return exact(rest, 8)
                .and_then(|bits| Some(Operand::Single(u32::try_from(bits).ok()?)));
        }
        "0d" | "0D" => return exact(rest, 16).map(Operand::Double),
        _ => {}
    }
    let unsigned = text.strip_suffix('U').unwrap_or(text);
    let parse = |digits: &str, radix| {
        digits
            .bytes()
            .all(|b| b.is_ascii_alphanumeric())
            .then(|| u64::from_str_radix(digits, radix).ok())
            .flatten()
    };
    let value = if let Some(digits) = unsigned.strip_prefix("0x").or(unsigned.strip_prefix("0X")) {
        parse(digits, 16)
    } else if let Some(digits) = unsigned.strip_prefix("0b").or(unsigned.strip_prefix("0B")) {
        parse(digits, 2)
    } else if unsigned.len() > 1 && unsigned.starts_with('0') {
        parse(unsigned, 8)
    } else {
        parse(unsigned, 10)
    };
    value.map(Operand::Integer)
}
