//! The outer shape of a text: directives, functions, statements.

use super::lexer::{Kind, Token, tokens};
use super::{FunctionSource, Scope, Source, Statement};
use crate::error::ParseError;

/// The newest PTX version and target that are known here: NVIDIA's 9.x, Blackwell.
const NEWEST_VERSION: (u32, u32) = (9, 5);
const NEWEST_TARGET: u32 = 121;

/// Reads a whole text.
pub(crate) fn parse(text: &str) -> Result<Source, ParseError> {
    let mut parser = Parser { text, tokens: tokens(text)?, at: 0, source: Source::default() };
    while parser.peek().kind != Kind::End {
        parser.top_level()?;
    }
    if parser.source.version == (0, 0) {
        return Err(parser.wrong("no .version directive"));
    }
    if parser.source.target == 0 {
        return Err(parser.wrong("no .target directive"));
    }
    Ok(parser.source)
}

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    pub source: Source,
}

impl<'a> Parser<'a> {
    pub fn peek(&self) -> Token<'a> {
        self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub fn peek_after(&self) -> Token<'a> {
        self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    pub fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    pub fn wrong(&self, message: impl Into<String>) -> ParseError {
        ParseError::new(self.peek().line, message)
    }

    pub fn is_mark(&self, mark: &str) -> bool {
        self.peek().kind == Kind::Mark && self.peek().text == mark
    }

    pub fn accept(&mut self, mark: &str) -> bool {
        let found = self.is_mark(mark);
        self.at += usize::from(found);
        found
    }

    pub fn accept_word(&mut self, word: &str) -> bool {
        let found = self.peek().kind == Kind::Word && self.peek().text == word;
        self.at += usize::from(found);
        found
    }

    pub fn expect(&mut self, mark: &str) -> Result<(), ParseError> {
        if self.accept(mark) {
            Ok(())
        } else {
            Err(self.wrong(format!("expected `{mark}`, found {}", self.found())))
        }
    }

    pub fn found(&self) -> String {
        match self.peek().kind {
            Kind::End => "the end of the text".into(),
            _ => format!("`{}`", self.peek().text),
        }
    }

    pub fn word(&mut self, what: &str) -> Result<&'a str, ParseError> {
        if self.peek().kind == Kind::Word {
            Ok(self.next().text)
        } else {
            Err(self.wrong(format!("expected {what}, found {}", self.found())))
        }
    }

    fn top_level(&mut self) -> Result<(), ParseError> {
        let token = self.peek();
        match token.text {
            ".version" => self.version(),
            ".target" => self.target(),
            ".address_size" => self.address_size(),
            ".file" | ".loc" => {
                self.skip_line();
                Ok(())
            }
            ".section" => self.skip_section(),
            ".pragma" => self.skip_pragma(),
            _ => {
                let linked = self.linkage();
                match self.peek().text {
                    ".entry" | ".func" => self.function(),
                    _ => {
                        let variables = self.variables(linked)?;
                        self.source.variables.extend(variables);
                        Ok(())
                    }
                }
            }
        }
    }

    /// Skips linkage words; says whether one of them was `.extern`.
    fn linkage(&mut self) -> bool {
        let mut external = false;
        loop {
            if self.accept_word(".extern") {
                external = true;
            } else if !(self.accept_word(".visible")
                || self.accept_word(".weak")
                || self.accept_word(".common"))
            {
                return external;
            }
        }
    }

    fn version(&mut self) -> Result<(), ParseError> {
        self.next();
        let text = self.next().text;
        let number = text
            .split_once('.')
            .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse::<u32>().ok()?)));
        let version = number.ok_or_else(|| self.wrong(format!("`{text}` is not a PTX version")))?;
        if version > NEWEST_VERSION {
            let (major, minor) = NEWEST_VERSION;
            return Err(self.wrong(format!(
                "PTX version {text} is newer than {major}.{minor}, the newest known here"
            )));
        }
        self.source.version = version;
        Ok(())
    }

    fn target(&mut self) -> Result<(), ParseError> {
        self.next();
        let text = self.word("a target")?;
        let digits = text.strip_prefix("sm_").map(|t| t.trim_end_matches(['a', 'f']));
        let target: u32 = digits
            .and_then(|d| d.parse().ok())
            .ok_or_else(|| self.wrong(format!("unknown target `{text}`")))?;
        if target > NEWEST_TARGET {
            return Err(self.wrong(format!(
                "target {text} is newer than sm_{NEWEST_TARGET}, the newest known here"
            )));
        }
        if target == 0 {
            return Err(self.wrong(format!("unknown target `{text}`")));
        }
        self.source.target = target;
        while self.accept(",") {
            let option = self.word("a target option")?;
            if !matches!(option, "debug" | "texmode_independent" | "texmode_unified") {
                return Err(self.wrong(format!("unknown target option `{option}`")));
            }
        }
        Ok(())
    }

    fn address_size(&mut self) -> Result<(), ParseError> {
        self.next();
        match self.next().text {
            "64" => Ok(()),
            other => Err(self.wrong(format!("address size {other}: only 64 is known"))),
        }
    }

    /// Debugging directives end with their line.
    pub fn skip_line(&mut self) {
        let line = self.peek().line;
        while self.peek().kind != Kind::End && self.peek().line == line {
            self.at += 1;
        }
    }

    fn skip_section(&mut self) -> Result<(), ParseError> {
        while !self.is_mark("{") && self.peek().kind != Kind::End {
            self.at += 1;
        }
        self.expect("{")?;
        while !self.is_mark("}") {
            if self.next().kind == Kind::End {
                return Err(self.wrong("a section without end"));
            }
        }
        self.expect("}")
    }

    pub fn skip_pragma(&mut self) -> Result<(), ParseError> {
        self.next();
        while self.peek().kind == Kind::Quoted || self.is_mark(",") {
            self.at += 1;
        }
        self.expect(";")
    }

    fn function(&mut self) -> Result<(), ParseError> {
        let line = self.peek().line;
        let entry = self.next().text == ".entry";
        let returns = if self.is_mark("(") { self.params()? } else { Vec::new() };
        let name = self.word("the name of a function")?.to_owned();
        let params = if self.is_mark("(") { self.params()? } else { Vec::new() };
        let mut function = FunctionSource {
            name,
            entry,
            returns,
            params,
            required_block: None,
            largest_block: None,
            scopes: vec![Scope::default()],
            statements: Vec::new(),
            defined: true,
            line,
        };
        self.tuning(&mut function)?;
        if self.accept(";") {
            function.defined = false;
        } else {
            self.expect("{")?;
            self.body(&mut function)?;
        }
        self.source.functions.push(function);
        Ok(())
    }

    /// Statements up to the brace that closes the function. Scopes are a list, not recursion: text may nest
    /// them without limit.
    fn body(&mut self, function: &mut FunctionSource) -> Result<(), ParseError> {
        let mut scope = 0;
        loop {
            let token = self.peek();
            if token.kind == Kind::End {
                return Err(
                    self.wrong(format!("function `{}` without its closing brace", function.name))
                );
            } else if self.accept("{") {
                function.scopes.push(Scope { parent: Some(scope), ..Scope::default() });
                scope = function.scopes.len() - 1;
            } else if self.accept("}") {
                match function.scopes[scope].parent {
                    Some(parent) => scope = parent,
                    None => return Ok(()),
                }
            } else if !self.declaration(&mut function.scopes[scope])? {
                self.labelled(function, scope)?;
            }
        }
    }

    /// A label, or an instruction with its guard.
    fn labelled(&mut self, function: &mut FunctionSource, scope: usize) -> Result<(), ParseError> {
        if self.peek().kind == Kind::Word && self.peek_after().text == ":" {
            let name = self.next().text;
            self.next();
            let at = u32::try_from(function.statements.len()).unwrap_or(u32::MAX);
            if self.accept_word(".branchtargets") {
                let names = self.names()?;
                function.scopes[scope].targets.insert(name.to_owned(), names);
            } else if function.scopes[scope].labels.insert(name.to_owned(), at).is_some() {
                return Err(self.wrong(format!("label `{name}` twice in one scope")));
            }
            return Ok(());
        }
        let statement = self.statement(scope)?;
        function.statements.push(statement);
        Ok(())
    }

    fn names(&mut self) -> Result<Vec<String>, ParseError> {
        let mut names = vec![self.word("a label")?.to_owned()];
        while self.accept(",") {
            names.push(self.word("a label")?.to_owned());
        }
        self.expect(";")?;
        Ok(names)
    }

    fn statement(&mut self, scope: usize) -> Result<Statement, ParseError> {
        let start = self.peek();
        let guard = if self.accept("@") {
            let negated = self.accept("!");
            Some((self.word("a predicate")?.to_owned(), negated))
        } else {
            None
        };
        let opcode = self.word("an instruction")?.to_owned();
        let mut operands = Vec::new();
        if !self.is_mark(";") {
            operands.push(self.operand()?);
            while self.accept(",") {
                operands.push(self.operand()?);
            }
        }
        let end = self.peek().start;
        self.expect(";").map_err(|error| error.in_instruction(&self.text[start.start..end]))?;
        Ok(Statement { line: start.line, span: (start.start, end), scope, guard, opcode, operands })
    }
}
