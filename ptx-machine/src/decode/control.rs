//! Branches, calls and ends.

use super::arithmetic::expect_operands;
use super::function::FunctionDecoder;
use super::mods::Mods;
use crate::code::{Action, Call, Constant, Pass, Slot};
use crate::syntax::{Operand, Type};

impl FunctionDecoder<'_> {
    pub fn control(
        &mut self,
        base: &str,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        if matches!(base, "bra" | "brx" | "call" | "ret") {
            mods.take("uni");
        }
        match base {
            "bra" => {
                expect_operands(operands, 1)?;
                let Operand::Name(label) = &operands[0] else {
                    return Err("expected a label".into());
                };
                Ok(Action::Branch { target: self.label(label)? })
            }
            "brx" => self.branch_table(mods, operands),
            "call" => self.call(operands),
            "nanosleep" => {
                expect_operands(operands, 1)?;
                mods.take("u32");
                self.value(&operands[0], Type::U32)?;
                Ok(Action::Nothing)
            }
            _ => {
                expect_operands(operands, 0)?;
                Ok(match base {
                    "ret" => Action::Return,
                    "exit" => Action::Exit,
                    _ => Action::Trap,
                })
            }
        }
    }

    fn label(&self, name: &str) -> Result<u32, String> {
        let mut scope = Some(self.scope);
        while let Some(number) = scope {
            if let Some(&at) = self.source.scopes[number].labels.get(name) {
                return Ok(self.start + at);
            }
            scope = self.source.scopes[number].parent;
        }
        Err(format!("label {name} is not in this function"))
    }

    fn branch_table(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        if !mods.take("idx") {
            return Err("brx without .idx".into());
        }
        expect_operands(operands, 2)?;
        let index = self.value(&operands[0], Type::U32)?;
        let Operand::Name(list) = &operands[1] else {
            return Err("expected a list of labels".into());
        };
        let source = self.source;
        let names = source.scopes.iter().find_map(|scope| scope.targets.get(list));
        let names = names.ok_or_else(|| format!("{list} is no list of labels"))?;
        let targets: Result<Box<[u32]>, String> =
            names.iter().map(|name| self.label(name)).collect();
        Ok(Action::BranchTable { index, targets: targets? })
    }

    fn call(&mut self, operands: &[Operand]) -> Result<Action, String> {
        let none: &[Operand] = &[];
        let (returns, name, arguments) = match operands {
            [Operand::Name(name)] => (none, name, none),
            [Operand::Name(name), Operand::List(arguments)] => (none, name, arguments.as_slice()),
            [Operand::List(returns), Operand::Name(name)] => (returns.as_slice(), name, none),
            [Operand::List(returns), Operand::Name(name), Operand::List(arguments)] => {
                (returns.as_slice(), name, arguments.as_slice())
            }
            _ => return Err("this form of call is not known".into()),
        };
        let number = self.link.functions.get(name).copied();
        let number =
            number.ok_or_else(|| format!("function {name} is not defined in this module"))?;
        let signature = self.link.signatures[number as usize].clone();
        if signature.entry {
            return Err(format!("{name} is an entry and cannot be called"));
        }
        let arguments = self.passes(arguments, &signature.params, false)?;
        let returns = self.passes(returns, &signature.returns, true)?;
        Ok(Action::Call(Box::new(Call { function: number, arguments, returns })))
    }

    /// Pairs the caller's operands with the callee's slots.
    fn passes(
        &mut self,
        operands: &[Operand],
        slots: &[Slot],
        written: bool,
    ) -> Result<Vec<Pass>, String> {
        if operands.len() != slots.len() {
            return Err(format!("{} values for {} parameters", operands.len(), slots.len()));
        }
        operands
            .iter()
            .zip(slots)
            .map(|(operand, slot)| self.pass(operand, slot, written))
            .collect()
    }

    fn pass(&mut self, operand: &Operand, slot: &Slot, written: bool) -> Result<Pass, String> {
        if let Some(callee) = slot.row {
            let kind = [Type::B16, Type::B32, Type::B64]
                .into_iter()
                .find(|kind| kind.bytes() == slot.bytes);
            let kind = kind.ok_or("a register of this width cannot be passed")?;
            let caller = if written {
                self.target(operand, kind, super::names::Fit::Exact)?
            } else {
                self.value(operand, kind)?
            };
            return Ok(Pass::Register { caller, callee });
        }
        let Operand::Name(name) = operand else {
            return Err("expected the name of a .param variable".into());
        };
        let declared = self
            .scope_chain()
            .find_map(|(_, scope)| scope.variables.iter().find(|v| v.name == *name));
        match (self.symbol(name, 0), declared) {
            (Some(Constant::Frame(caller)), Some(variable))
                if variable.bytes >= slot.bytes.into() =>
            {
                Ok(Pass::Memory { caller, callee: slot.offset, bytes: slot.bytes })
            }
            (Some(Constant::Frame(_)), Some(_)) => {
                Err(format!("{name} is smaller than parameter {}", slot.name))
            }
            _ => Err(format!("{name} is no .param variable of this function")),
        }
    }
}
