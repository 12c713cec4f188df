//! Text to a flat list of statements per function, with the scopes that names are looked up in.

mod declaration;
mod lexer;
mod operand;
mod parser;
mod types;

pub(crate) use parser::parse;
pub(crate) use types::Type;

use std::collections::HashMap;

/// Where a variable lives or an access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Space {
    Generic,
    Global,
    Shared,
    Local,
    Param,
    Const,
}

/// A whole text.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub version: (u32, u32),
    pub target: u32,
    pub variables: Vec<Variable>,
    pub functions: Vec<FunctionSource>,
}

/// One datum of an initialiser.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Datum {
    Bits(u64),
    Address { symbol: String, offset: i64 },
}

/// A `.global`, `.const`, `.shared`, `.local` or `.param` variable.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub name: String,
    pub space: Space,
    pub align: u32,
    pub element: Type,
    pub bytes: u64,
    /// `.extern .shared x[]`: sized by the launch.
    pub dynamic: bool,
    pub data: Vec<Datum>,
    pub line: u32,
}

/// A parameter or a returned value of a function.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub variable: Variable,
    /// Passed in a register instead of parameter space.
    pub register: bool,
}

/// `.reg .b32 %r<5>` or `.reg .pred p`.
#[derive(Clone, Debug)]
pub(crate) struct Registers {
    pub name: String,
    pub count: Option<u32>,
    pub element: Type,
}

/// One pair of braces.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub parent: Option<usize>,
    pub registers: Vec<Registers>,
    pub variables: Vec<Variable>,
    pub labels: HashMap<String, u32>,
    /// `.branchtargets` lists, by label.
    pub targets: HashMap<String, Vec<String>>,
}

/// An entry or a device function.
#[derive(Debug)]
pub(crate) struct FunctionSource {
    pub name: String,
    pub entry: bool,
    pub returns: Vec<Param>,
    pub params: Vec<Param>,
    pub required_block: Option<[u32; 3]>,
    pub largest_block: Option<u64>,
    pub scopes: Vec<Scope>,
    pub statements: Vec<Statement>,
    /// False for a prototype.
    pub defined: bool,
    pub line: u32,
}

/// One instruction as written.
#[derive(Debug)]
pub(crate) struct Statement {
    pub line: u32,
    /// Bytes of the text it was written in.
    pub span: (usize, usize),
    pub scope: usize,
    pub guard: Option<(String, bool)>,
    pub opcode: String,
    pub operands: Vec<Operand>,
}

/// An operand as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Name(String),
    /// A negated predicate.
    Not(String),
    Integer(u64),
    Single(u32),
    Double(u64),
    Address {
        base: AddressBase,
        offset: i64,
    },
    Vector(Vec<Operand>),
    /// `%r|%p`.
    Pair(Box<Operand>, Box<Operand>),
    /// Parenthesised operands of a call.
    List(Vec<Operand>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AddressBase {
    Name(String),
    Absolute,
}
