//! Bits: logic of registers and predicates, shifts, fields.

use super::arithmetic::expect_operands;
use super::function::FunctionDecoder;
use super::mods::Mods;
use super::names::Fit;
use crate::code::{Action, Apply3};
use crate::rows::{bit_map1, bit_map2, bit_map3, logic};
use crate::syntax::{Operand, Type};

impl FunctionDecoder<'_> {
    pub fn bitwise(
        &mut self,
        base: &str,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        let kind = mods.take_type()?;
        expect_operands(operands, if base == "not" { 2 } else { 3 })?;
        if kind == Type::Pred {
            return self.predicate_logic(base, operands);
        }
        if !matches!(kind, Type::B16 | Type::B32 | Type::B64) {
            return Err(format!("{base} is not known for this type"));
        }
        let to = self.target(&operands[0], kind, Fit::Exact)?;
        let a = self.value(&operands[1], kind)?;
        let unknown = || format!("{base} is not known for this type");
        if base == "not" {
            return Ok(Action::Map1 {
                f: bit_map1(base, kind).ok_or_else(unknown)?,
                to,
                a,
                flush: false,
            });
        }
        let f = bit_map2(base, kind).ok_or_else(unknown)?;
        Ok(Action::Map2 { f, to, a, b: self.value(&operands[2], kind)?, flush: false })
    }

    fn predicate_logic(&mut self, base: &str, operands: &[Operand]) -> Result<Action, String> {
        let to = self.predicate_target(&operands[0])?;
        let a = self.plain_predicate(&operands[1])?;
        if base == "not" {
            return Ok(Action::Logic { f: |a, _| !a, to, a, b: a });
        }
        let f = logic(base).ok_or("unknown logic")?;
        Ok(Action::Logic { f, to, a, b: self.plain_predicate(&operands[2])? })
    }

    pub fn plain_predicate(&mut self, operand: &Operand) -> Result<u32, String> {
        match self.predicate_source(operand)? {
            (row, false) => Ok(row),
            (_, true) => Err("a negated predicate cannot stand here".into()),
        }
    }

    pub fn bit_field(
        &mut self,
        base: &str,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        let kind = mods.take_type()?;
        match base {
            "popc" | "clz" | "brev" => self.count_bits(base, kind, operands),
            "shl" | "shr" => self.shift(base, kind, operands),
            "bfi" => self.insert(kind, operands),
            "lop3" => self.lop3(kind, operands),
            _ => self.three_sources(base, kind, mods, operands),
        }
    }

    fn count_bits(
        &mut self,
        base: &str,
        kind: Type,
        operands: &[Operand],
    ) -> Result<Action, String> {
        expect_operands(operands, 2)?;
        let f = bit_map1(base, kind).filter(|_| matches!(kind, Type::B32 | Type::B64));
        let f = f.ok_or_else(|| format!("{base} is not known for this type"))?;
        let result = if base == "brev" { kind } else { Type::U32 };
        let to = self.target(&operands[0], result, Fit::Exact)?;
        Ok(Action::Map1 { f, to, a: self.value(&operands[1], kind)?, flush: false })
    }

    fn shift(&mut self, base: &str, kind: Type, operands: &[Operand]) -> Result<Action, String> {
        expect_operands(operands, 3)?;
        let known = base == "shr" || matches!(kind, Type::B16 | Type::B32 | Type::B64);
        let f = bit_map2(base, kind).filter(|_| known);
        let f = f.ok_or_else(|| format!("{base} is not known for this type"))?;
        let to = self.target(&operands[0], kind, Fit::Exact)?;
        let (a, b) = (self.value(&operands[1], kind)?, self.value(&operands[2], Type::U32)?);
        Ok(Action::Map2 { f, to, a, b, flush: false })
    }

    fn three_sources(
        &mut self,
        base: &str,
        kind: Type,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        expect_operands(operands, 4)?;
        let name = if base == "shf" {
            let side = mods.take_any(&["l", "r"]).ok_or("no .l or .r")?;
            let mode = mods.take_any(&["wrap", "clamp"]).ok_or("no .wrap or .clamp")?;
            format!("shf.{side}.{mode}")
        } else {
            base.to_owned()
        };
        let f =
            bit_map3(&name, kind).ok_or_else(|| format!("{base} is not known for this type"))?;
        let second = if base == "bfe" { Type::U32 } else { kind };
        let to = self.target(&operands[0], kind, Fit::Exact)?;
        let a = self.value(&operands[1], kind)?;
        let b = self.value(&operands[2], second)?;
        let c = self.value(&operands[3], Type::U32)?;
        Ok(Action::Map3(Box::new(Apply3 { f, to, a, b, c, flush: false })))
    }

    /// `bfi` has four sources; its field is almost always written as two numbers.
    fn insert(&mut self, kind: Type, operands: &[Operand]) -> Result<Action, String> {
        expect_operands(operands, 5)?;
        if !matches!(kind, Type::B32 | Type::B64) {
            return Err("bfi is not known for this type".into());
        }
        let to = self.target(&operands[0], kind, Fit::Exact)?;
        let mut rows = [0; 4];
        for (row, (operand, kind)) in
            rows.iter_mut().zip(operands[1..].iter().zip([kind, kind, Type::U32, Type::U32]))
        {
            *row = self.value(operand, kind)?;
        }
        let [a, b, position, length] = rows;
        Ok(Action::Insert { to, a, b, position, length, bits: kind.bits() })
    }

    fn lop3(&mut self, kind: Type, operands: &[Operand]) -> Result<Action, String> {
        expect_operands(operands, 5)?;
        if kind != Type::B32 {
            return Err("lop3 is not known for this type".into());
        }
        let Operand::Integer(table) = operands[4] else {
            return Err("the table of lop3 must be a number".into());
        };
        let table =
            u32::try_from(table).ok().filter(|t| *t < 256).ok_or("the table of lop3 has 8 bits")?;
        let to = self.target(&operands[0], kind, Fit::Exact)?;
        let a = self.value(&operands[1], kind)?;
        let b = self.value(&operands[2], kind)?;
        let c = self.value(&operands[3], kind)?;
        Ok(Action::Table { to, a, b, c, table })
    }
}
