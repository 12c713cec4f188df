//! One function: its rows, its frame, and the choice of a decoder for each opcode.

use super::mods::Mods;
use super::{LARGEST_FRAME, Link, Signature};
use crate::code::{Action, Constant, Function, Guard, Instruction, NONE};
use crate::error::ParseError;
use crate::syntax::{FunctionSource, Operand, Space, Statement, Type};
use std::collections::HashMap;

/// The most rows of one function: a warp then holds 16 MiB.
const MOST_ROWS: u32 = 1 << 16;

pub(super) struct FunctionDecoder<'a> {
    pub source: &'a FunctionSource,
    pub signature: Signature,
    pub link: &'a mut Link,
    pub start: u32,
    /// The scope of the statement at hand.
    pub scope: usize,
    pub rows: u32,
    pub predicates: u32,
    pub frame: u32,
    pub registers: HashMap<(usize, String), (u32, Type)>,
    pub constants: HashMap<Constant, u32>,
    pub predicate_constants: HashMap<bool, u32>,
    /// The place of each variable of a scope.
    pub variables: HashMap<(usize, String), Constant>,
    /// The opcode is `bar`, which is always aligned, and not `barrier`.
    pub plain_bar: bool,
    /// The instruction is `.approx` or `.ftz`.
    pub relaxed: bool,
}

impl<'a> FunctionDecoder<'a> {
    pub fn new(
        source: &'a FunctionSource,
        signature: Signature,
        link: &'a mut Link,
        start: u32,
    ) -> Result<Self, ParseError> {
        let frame = if source.entry { 0 } else { signature.frame };
        let mut decoder = Self {
            source,
            rows: signature.rows,
            signature,
            link,
            start,
            scope: 0,
            predicates: 0,
            frame,
            registers: HashMap::new(),
            constants: HashMap::new(),
            predicate_constants: HashMap::new(),
            variables: HashMap::new(),
            plain_bar: false,
            relaxed: false,
        };
        decoder.name_register_params();
        decoder.place_variables()?;
        Ok(decoder)
    }

    fn name_register_params(&mut self) {
        let params = self.source.params.iter().zip(&self.signature.params);
        let returns = self.source.returns.iter().zip(&self.signature.returns);
        for (param, slot) in params.chain(returns) {
            if let Some(row) = slot.row {
                self.registers.insert((0, slot.name.clone()), (row, param.variable.element));
            }
        }
    }

    fn place_variables(&mut self) -> Result<(), ParseError> {
        for (number, scope) in self.source.scopes.iter().enumerate() {
            for variable in &scope.variables {
                let place = match variable.space {
                    Space::Shared if variable.dynamic => Constant::DynamicShared(0),
                    Space::Shared => Constant::Shared(self.link.place_shared(variable)?, 0),
                    space => {
                        let start = self.frame.next_multiple_of(variable.align);
                        let bytes = u32::try_from(variable.bytes).unwrap_or(u32::MAX);
                        self.frame = start.saturating_add(bytes);
                        if self.frame > LARGEST_FRAME {
                            let message =
                                format!("local memory of more than {LARGEST_FRAME} bytes");
                            return Err(ParseError::new(variable.line, message));
                        }
                        if space == Space::Param {
                            Constant::Frame(start)
                        } else {
                            Constant::Local(start)
                        }
                    }
                };
                self.variables.insert((number, variable.name.clone()), place);
            }
        }
        Ok(())
    }

    /// Decodes one statement; says too whether it is relaxed arithmetic.
    pub fn statement(&mut self, statement: &Statement) -> Result<(Instruction, bool), String> {
        self.scope = statement.scope;
        self.relaxed = false;
        self.plain_bar = statement.opcode.starts_with("bar.");
        let guard = match &statement.guard {
            Some((name, negated)) => Guard { predicate: self.predicate(name)?, negated: *negated },
            None => Guard { predicate: NONE, negated: false },
        };
        let (base, mut mods) = Mods::split(&statement.opcode);
        let action = self.action(base, &mut mods, &statement.operands)?;
        mods.finish()?;
        Ok((Instruction { guard, action }, self.relaxed))
    }

    fn action(
        &mut self,
        base: &str,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        match base {
            "add" | "sub" | "mul" | "mad" | "fma" | "div" | "rem" | "abs" | "neg" | "min"
            | "max" | "sqrt" | "rcp" | "rsqrt" | "ex2" | "lg2" | "sin" | "cos" | "tanh"
            | "copysign" => self.arithmetic(base, mods, operands),
            "and" | "or" | "xor" | "not" => self.bitwise(base, mods, operands),
            "shl" | "shr" | "shf" | "popc" | "clz" | "brev" | "bfe" | "bfi" | "prmt" | "lop3" => {
                self.bit_field(base, mods, operands)
            }
            "setp" => self.setp(mods, operands),
            "selp" => self.selp(mods, operands),
            "mov" => self.mov(mods, operands),
            "cvt" => self.cvt(mods, operands),
            "cvta" => self.cvta(mods, operands),
            "ld" | "ldu" => self.load(mods, operands),
            "st" => self.store(mods, operands),
            "atom" | "red" => self.atomic(base, mods, operands),
            "fence" | "membar" => Self::fence(base, mods, operands),
            "prefetch" | "prefetchu" | "discard" | "applypriority" => self.hint(mods, operands),
            "shfl" | "vote" | "match" | "redux" => self.warp_op(base, mods, operands),
            "bar" | "barrier" => self.barrier(mods, operands),
            "activemask" => self.active_mask(mods, operands),
            "bra" | "brx" | "call" | "ret" | "exit" | "trap" | "brkpt" | "nanosleep" => {
                self.control(base, mods, operands)
            }
            _ => Err(format!("unknown instruction {base}")),
        }
    }

    /// What stands after the last statement.
    pub fn implied_return() -> Instruction {
        Instruction { guard: Guard { predicate: NONE, negated: false }, action: Action::Return }
    }

    pub fn finish(self, end: u32) -> Result<Function, ParseError> {
        if self.rows > MOST_ROWS || self.predicates > MOST_ROWS {
            let message = format!("`{}` uses more than {MOST_ROWS} registers", self.source.name);
            return Err(ParseError::new(self.source.line, message));
        }
        let mut constants: Vec<_> =
            self.constants.into_iter().map(|(constant, row)| (row, constant)).collect();
        constants.sort_by_key(|(row, _)| *row);
        Ok(Function {
            name: self.source.name.clone(),
            entry: self.source.entry,
            start: self.start,
            end,
            rows: self.rows,
            predicates: self.predicates,
            constants,
            predicate_constants: self
                .predicate_constants
                .into_iter()
                .map(|(value, row)| (row, value))
                .collect(),
            frame: self.frame.next_multiple_of(16),
            params: self.signature.params,
            required_block: self.source.required_block,
            largest_block: self.source.largest_block,
        })
    }
}
