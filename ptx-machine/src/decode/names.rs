//! Operands to rows.

use super::Place;
use super::function::FunctionDecoder;
use crate::code::{Constant, LaneMask, NONE, Special, WARP};
use crate::syntax::{AddressBase, Operand, Scope, Type};

/// How the width of a register must fit an instruction's type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Exact,
    /// Loads, stores and conversions may use a wider register.
    AtLeast,
}

impl FunctionDecoder<'_> {
    pub fn fresh_row(&mut self) -> u32 {
        self.rows = self.rows.saturating_add(1);
        self.rows - 1
    }

    pub fn constant(&mut self, constant: Constant) -> u32 {
        if let Some(&row) = self.constants.get(&constant) {
            return row;
        }
        let row = self.fresh_row();
        self.constants.insert(constant, row);
        row
    }

    pub fn scope_chain(&self) -> impl Iterator<Item = (usize, &Scope)> {
        let mut next = Some(self.scope);
        std::iter::from_fn(move || {
            let number = next?;
            let scope = &self.source.scopes[number];
            next = scope.parent;
            Some((number, scope))
        })
    }

    /// The row and type of a declared register; the innermost declaration holds.
    pub fn register(&mut self, name: &str) -> Option<(u32, Type)> {
        let mut found = None;
        for (number, scope) in self.scope_chain() {
            if let Some(&known) = self.registers.get(&(number, name.to_owned())) {
                return Some(known);
            }
            if let Some(element) = declared(scope, name) {
                found = Some((number, element));
                break;
            }
        }
        let (number, element) = found?;
        let row = if element == Type::Pred {
            self.predicates = self.predicates.saturating_add(1);
            self.predicates - 1
        } else {
            self.fresh_row()
        };
        self.registers.insert((number, name.to_owned()), (row, element));
        Some((row, element))
    }

    pub fn predicate(&mut self, name: &str) -> Result<u32, String> {
        match self.register(name) {
            Some((row, Type::Pred)) => Ok(row),
            Some(_) => Err(format!("{name} is not a predicate")),
            None => Err(format!("{name} is not declared")),
        }
    }

    pub fn predicate_constant(&mut self, value: bool) -> u32 {
        if let Some(&row) = self.predicate_constants.get(&value) {
            return row;
        }
        self.predicates = self.predicates.saturating_add(1);
        self.predicate_constants.insert(value, self.predicates - 1);
        self.predicates - 1
    }

    /// A predicate as a source: its row, and whether it is negated.
    pub fn predicate_source(&mut self, operand: &Operand) -> Result<(u32, bool), String> {
        match operand {
            Operand::Name(name) => Ok((self.predicate(name)?, false)),
            Operand::Not(name) => Ok((self.predicate(name)?, true)),
            Operand::Integer(value) => Ok((self.predicate_constant(*value != 0), false)),
            _ => Err("expected a predicate".into()),
        }
    }

    pub fn predicate_target(&mut self, operand: &Operand) -> Result<u32, String> {
        match operand {
            Operand::Name(name) if name == "_" => Ok(NONE),
            Operand::Name(name) => self.predicate(name),
            _ => Err("expected a predicate to write".into()),
        }
    }

    pub fn target(&mut self, operand: &Operand, kind: Type, fit: Fit) -> Result<u32, String> {
        let Operand::Name(name) = operand else {
            return Err("expected a register to write".into());
        };
        if name == "_" {
            return Ok(NONE);
        }
        let (row, element) =
            self.register(name).ok_or_else(|| format!("{name} is not a declared register"))?;
        check_width(name, element, kind, fit)?;
        Ok(row)
    }

    pub fn source_of(&mut self, operand: &Operand, kind: Type, fit: Fit) -> Result<u32, String> {
        let keep = if kind.bits() == 64 { u64::MAX } else { (1 << kind.bits()) - 1 };
        match operand {
            Operand::Name(name) => {
                if let Some((row, element)) = self.register(name) {
                    check_width(name, element, kind, fit)?;
                    return Ok(row);
                }
                let constant =
                    if name == "WARP_SZ" { Some(Constant::Bits(WARP as u64)) } else { None };
                let constant = constant.or_else(|| special(name).map(Constant::Special));
                let constant = constant.or_else(|| self.symbol(name, 0));
                let constant = constant.ok_or_else(|| format!("{name} is not declared"))?;
                Ok(self.constant(constant))
            }
            Operand::Integer(value) if kind.is_float() => Err(format!(
                "{} is an integer, the instruction wants a floating-point number",
                value.cast_signed()
            )),
            Operand::Integer(value) => Ok(self.constant(Constant::Bits(value & keep))),
            Operand::Single(bits) if kind.bits() == 32 => {
                Ok(self.constant(Constant::Bits((*bits).into())))
            }
            Operand::Double(bits) if kind.bits() == 64 => Ok(self.constant(Constant::Bits(*bits))),
            Operand::Single(_) | Operand::Double(_) => {
                Err("a floating-point number of another width".into())
            }
            Operand::Address { base: AddressBase::Name(name), offset } => {
                let constant = self
                    .symbol(name, *offset)
                    .ok_or_else(|| format!("{name} is not a variable"))?;
                Ok(self.constant(constant))
            }
            _ => Err("expected a register or a number".into()),
        }
    }

    /// A source of exactly this type.
    pub fn value(&mut self, operand: &Operand, kind: Type) -> Result<u32, String> {
        self.source_of(operand, kind, Fit::Exact)
    }

    /// The address of a variable.
    pub fn symbol(&self, name: &str, offset: i64) -> Option<Constant> {
        let found = self
            .scope_chain()
            .find_map(|(number, _)| self.variables.get(&(number, name.to_owned())));
        if let Some(&constant) = found {
            return moved(constant, offset);
        }
        let mut slots = self.signature.params.iter().chain(&self.signature.returns);
        if let Some(slot) = slots.find(|slot| slot.name == name && slot.row.is_none()) {
            let constant = if self.source.entry {
                Constant::KernelParam(slot.offset)
            } else {
                Constant::Frame(slot.offset)
            };
            return moved(constant, offset);
        }
        match *self.link.variables.get(name)? {
            Place::Variable(number) => Some(Constant::Variable(number, offset)),
            Place::Shared(number) => Some(Constant::Shared(number, offset)),
            Place::DynamicShared => Some(Constant::DynamicShared(offset)),
        }
    }

    /// The row and the offset of an address operand.
    pub fn address(&mut self, operand: &Operand) -> Result<(u32, i64), String> {
        let Operand::Address { base, offset } = operand else {
            return Err("expected an address".into());
        };
        match base {
            AddressBase::Absolute => Ok((self.constant(Constant::Bits(0)), *offset)),
            AddressBase::Name(name) => {
                if let Some((row, element)) = self.register(name) {
                    if element.bits() < 32 {
                        return Err(format!("{name} is too narrow for an address"));
                    }
                    return Ok((row, *offset));
                }
                let constant =
                    self.symbol(name, 0).ok_or_else(|| format!("{name} is not declared"))?;
                Ok((self.constant(constant), *offset))
            }
        }
    }
}

fn moved(constant: Constant, offset: i64) -> Option<Constant> {
    let add = |start: u32| u32::try_from(i64::from(start).checked_add(offset)?).ok();
    match constant {
        _ if offset == 0 => Some(constant),
        Constant::Local(start) => add(start).map(Constant::Local),
        Constant::Frame(start) => add(start).map(Constant::Frame),
        Constant::Shared(number, start) => {
            Some(Constant::Shared(number, start.wrapping_add(offset)))
        }
        Constant::DynamicShared(start) => Some(Constant::DynamicShared(start.wrapping_add(offset))),
        Constant::KernelParam(start) => add(start).map(Constant::KernelParam),
        _ => None,
    }
}

fn declared(scope: &Scope, name: &str) -> Option<Type> {
    scope.registers.iter().find_map(|list| {
        let found = match list.count {
            None => list.name == name,
            Some(count) => name
                .strip_prefix(list.name.as_str())
                .filter(|digits| digits.len() == 1 || !digits.starts_with('0'))
                .and_then(|digits| digits.parse::<u32>().ok())
                .is_some_and(|number| number < count),
        };
        found.then_some(list.element)
    })
}

fn check_width(name: &str, element: Type, kind: Type, fit: Fit) -> Result<(), String> {
    let (has, wants) = (element.bits(), kind.bits());
    let fits = if fit == Fit::Exact { has == wants } else { has >= wants };
    if element == Type::Pred {
        Err(format!("{name} is a predicate, the instruction wants {wants} bits"))
    } else if fits {
        Ok(())
    } else {
        Err(format!("{name} has {has} bits, the instruction wants {wants}"))
    }
}

fn special(name: &str) -> Option<Special> {
    let axis = |suffix: &str| ["x", "y", "z"].iter().position(|axis| *axis == suffix);
    if let Some((head, tail)) = name.split_once('.') {
        return Some(match head {
            "%tid" => Special::Thread(axis(tail)?),
            "%ntid" => Special::BlockExtent(axis(tail)?),
            "%ctaid" => Special::Block(axis(tail)?),
            "%nctaid" => Special::GridExtent(axis(tail)?),
            _ => return None,
        });
    }
    Some(match name {
        "%laneid" => Special::Lane,
        "%warpid" => Special::Warp,
        "%nwarpid" => Special::Warps,
        "%lanemask_eq" => Special::LaneMask(LaneMask::Equal),
        "%lanemask_le" => Special::LaneMask(LaneMask::LessOrEqual),
        "%lanemask_lt" => Special::LaneMask(LaneMask::Less),
        "%lanemask_ge" => Special::LaneMask(LaneMask::GreaterOrEqual),
        "%lanemask_gt" => Special::LaneMask(LaneMask::Greater),
        "%dynamic_smem_size" => Special::DynamicSharedSize,
        "%total_smem_size" => Special::TotalSharedSize,
        "%smid" | "%gridid" => Special::Zero,
        "%nsmid" => Special::One,
        _ => return None,
    })
}
