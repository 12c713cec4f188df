//! Statements to code: names become rows, labels become places, suffixes become functions.

mod arithmetic;
mod bits;
mod compare;
mod control;
mod function;
mod memory;
mod mods;
mod moves;
mod names;
mod sync;

use crate::code::{Code, Function, ModuleVariable, SharedVariable, Slot};
use crate::error::ParseError;
use crate::syntax::{Datum, FunctionSource, Param, Source, Space, Variable};
use function::FunctionDecoder;
use std::collections::HashMap;

/// The most shared memory that any known device gives to a block.
const LARGEST_SHARED: u64 = 232_448;
/// Bytes of all global and constant variables: a text must not be able to exhaust the host.
const MOST_VARIABLES: u64 = 256 << 20;
/// The largest frame of local memory.
const LARGEST_FRAME: u32 = 512 << 10;

/// What the functions of a module know of each other.
pub(crate) struct Link {
    pub functions: HashMap<String, u32>,
    pub signatures: Vec<Signature>,
    pub variables: HashMap<String, Place>,
    pub shared: Vec<SharedVariable>,
    /// Bytes of global and constant variables so far.
    pub variable_bytes: u64,
    pub mnemonics: HashMap<String, u32>,
}

/// Where a module variable lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Variable(u32),
    Shared(u32),
    DynamicShared,
}

#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub entry: bool,
    pub params: Vec<Slot>,
    pub returns: Vec<Slot>,
    pub frame: u32,
    pub rows: u32,
}

pub(crate) fn decode(text: &str, source: &Source) -> Result<Code, ParseError> {
    let mut code = Code {
        instructions: Vec::new(),
        notes: Vec::new(),
        functions: Vec::new(),
        variables: Vec::new(),
        mnemonics: Vec::new(),
        shared: Vec::new(),
    };
    let mut link = link(source, &mut code)?;
    for function in source.functions.iter().filter(|f| f.defined) {
        let decoded = decode_function(text, function, &mut link, &mut code)?;
        code.functions.push(decoded);
    }
    code.shared = link.shared;
    let mut mnemonics: Vec<_> = link.mnemonics.into_iter().collect();
    mnemonics.sort_by_key(|(_, number)| *number);
    code.mnemonics = mnemonics.into_iter().map(|(name, _)| name).collect();
    Ok(code)
}

fn link(source: &Source, code: &mut Code) -> Result<Link, ParseError> {
    let mut link = Link {
        functions: HashMap::new(),
        signatures: Vec::new(),
        variables: HashMap::new(),
        shared: Vec::new(),
        variable_bytes: 0,
        mnemonics: HashMap::new(),
    };
    for variable in &source.variables {
        let place = link.place(variable, code)?;
        if link.variables.insert(variable.name.clone(), place).is_some() {
            return Err(ParseError::new(
                variable.line,
                format!("`{}` is declared twice", variable.name),
            ));
        }
    }
    for function in source.functions.iter().filter(|f| f.defined) {
        let number = u32::try_from(link.signatures.len()).unwrap_or(u32::MAX);
        if link.functions.insert(function.name.clone(), number).is_some() {
            return Err(ParseError::new(
                function.line,
                format!("function `{}` is defined twice", function.name),
            ));
        }
        link.signatures.push(signature(function)?);
    }
    match code.variables.iter().find_map(|variable| link.dangling(variable)) {
        Some(message) => Err(ParseError::new(1, message)),
        None => Ok(link),
    }
}

impl Link {
    /// What is wrong with the addresses in an initialiser.
    fn dangling(&self, variable: &ModuleVariable) -> Option<String> {
        variable.links.iter().find_map(|(_, datum)| match datum {
            Datum::Address { symbol, .. }
                if !matches!(self.variables.get(symbol), Some(Place::Variable(_))) =>
            {
                let name = &variable.name;
                Some(format!("`{name}` refers to `{symbol}`, which is no global variable"))
            }
            _ => None,
        })
    }

    /// Gives a module variable its place.
    fn place(&mut self, variable: &Variable, code: &mut Code) -> Result<Place, ParseError> {
        match variable.space {
            Space::Shared if variable.dynamic => Ok(Place::DynamicShared),
            Space::Shared => self.place_shared(variable).map(Place::Shared),
            Space::Global | Space::Const => {
                self.variable_bytes = self.variable_bytes.saturating_add(variable.bytes);
                if self.variable_bytes > MOST_VARIABLES {
                    let message = format!("variables of more than {MOST_VARIABLES} bytes");
                    return Err(ParseError::new(variable.line, message));
                }
                code.variables.push(module_variable(variable)?);
                Ok(Place::Variable(u32::try_from(code.variables.len() - 1).unwrap_or(u32::MAX)))
            }
            _ => Err(ParseError::new(
                variable.line,
                format!("`{}` cannot stand outside a function", variable.name),
            )),
        }
    }

    /// Gives a shared variable its number.
    pub fn place_shared(&mut self, variable: &Variable) -> Result<u32, ParseError> {
        if variable.bytes > LARGEST_SHARED {
            let message =
                format!("shared memory of {} bytes: at most {LARGEST_SHARED}", variable.bytes);
            return Err(ParseError::new(variable.line, message));
        }
        let bytes = u32::try_from(variable.bytes).unwrap_or(u32::MAX);
        self.shared.push(SharedVariable { bytes, align: variable.align });
        Ok(u32::try_from(self.shared.len() - 1).unwrap_or(u32::MAX))
    }

    pub fn mnemonic(&mut self, opcode: &str) -> u32 {
        if let Some(&number) = self.mnemonics.get(opcode) {
            return number;
        }
        let number = u32::try_from(self.mnemonics.len()).unwrap_or(u32::MAX);
        self.mnemonics.insert(opcode.to_owned(), number);
        number
    }
}

fn module_variable(variable: &Variable) -> Result<ModuleVariable, ParseError> {
    let size = usize::try_from(variable.bytes).unwrap_or(usize::MAX);
    let step = variable.element.bytes() as usize;
    let mut bytes = vec![0; size];
    let mut links = Vec::new();
    for (index, datum) in variable.data.iter().enumerate() {
        let at = index * step;
        match datum {
            Datum::Bits(bits) => bytes[at..at + step].copy_from_slice(&bits.to_le_bytes()[..step]),
            Datum::Address { .. } if step == 8 => links.push((at, datum.clone())),
            Datum::Address { symbol, .. } => {
                return Err(ParseError::new(
                    variable.line,
                    format!("the address of `{symbol}` needs 64 bits"),
                ));
            }
        }
    }
    Ok(ModuleVariable {
        name: variable.name.clone(),
        bytes,
        links,
        constant: variable.space == Space::Const,
    })
}

/// Lays parameters out: an entry's in parameter memory, a device function's at the start of its frame.
fn signature(function: &FunctionSource) -> Result<Signature, ParseError> {
    let (mut offset, mut rows) = (0, 0);
    let mut slots = |list: &[Param]| {
        let mut slots = Vec::new();
        for param in list {
            slots.push(slot(param, &mut offset, &mut rows)?);
        }
        Ok::<_, ParseError>(slots)
    };
    let params = slots(&function.params)?;
    let returns = slots(&function.returns)?;
    Ok(Signature { entry: function.entry, params, returns, frame: offset, rows })
}

fn slot(param: &Param, offset: &mut u32, rows: &mut u32) -> Result<Slot, ParseError> {
    let variable = &param.variable;
    let bytes = u32::try_from(variable.bytes).unwrap_or(u32::MAX);
    let mut slot = Slot { name: variable.name.clone(), bytes, offset: 0, row: None };
    if param.register {
        slot.row = Some(*rows);
        *rows += 1;
    } else {
        slot.offset = offset.next_multiple_of(variable.align);
        *offset = slot.offset.saturating_add(bytes);
        if *offset > LARGEST_FRAME {
            return Err(ParseError::new(
                variable.line,
                format!("parameters of more than {LARGEST_FRAME} bytes"),
            ));
        }
    }
    Ok(slot)
}

fn decode_function(
    text: &str,
    source: &FunctionSource,
    link: &mut Link,
    code: &mut Code,
) -> Result<Function, ParseError> {
    let number = link.functions.get(&source.name).copied().unwrap_or(0);
    let signature = link.signatures[number as usize].clone();
    let start = u32::try_from(code.instructions.len()).unwrap_or(u32::MAX);
    let mut decoder = FunctionDecoder::new(source, signature, link, start)?;
    for statement in &source.statements {
        let (instruction, relaxed) = decoder.statement(statement).map_err(|message| {
            ParseError::new(statement.line, message)
                .in_instruction(&text[statement.span.0..statement.span.1])
        })?;
        let mnemonic = decoder.link.mnemonic(&statement.opcode);
        code.notes.push(crate::code::Note {
            line: statement.line,
            span: statement.span,
            mnemonic,
            relaxed,
        });
        code.instructions.push(instruction);
    }
    let end = source.statements.last();
    // Text may end without a `ret`; the machine must not run into the next function.
    let (line, span) = end.map_or((source.line, (0, 0)), |s| (s.line, s.span));
    let mnemonic = decoder.link.mnemonic("ret");
    code.notes.push(crate::code::Note { line, span, mnemonic, relaxed: false });
    code.instructions.push(FunctionDecoder::implied_return());
    decoder.finish(u32::try_from(code.instructions.len()).unwrap_or(u32::MAX))
}
