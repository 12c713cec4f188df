//! Arithmetic of integers and floats.

use super::function::FunctionDecoder;
use super::mods::Mods;
use super::names::Fit;
use crate::code::{Action, Apply3};
use crate::rows::{float_map1, float_map2, float_map3, integer_map1, integer_map2, integer_map3};
use crate::syntax::{Operand, Type};

/// How many sources an opcode has.
fn sources(base: &str) -> usize {
    match base {
        "mad" | "fma" => 3,
        "abs" | "neg" | "sqrt" | "rcp" | "rsqrt" | "ex2" | "lg2" | "sin" | "cos" | "tanh" => 1,
        _ => 2,
    }
}

pub(super) fn expect_operands(operands: &[Operand], count: usize) -> Result<(), String> {
    if operands.len() == count {
        Ok(())
    } else {
        Err(format!("{} operands, the instruction has {count}", operands.len()))
    }
}

impl FunctionDecoder<'_> {
    pub fn arithmetic(
        &mut self,
        base: &str,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        let kind = mods.take_type()?;
        expect_operands(operands, sources(base) + 1)?;
        if kind.is_float() {
            self.float(base, kind, mods, operands)
        } else {
            self.integer(base, kind, mods, operands)
        }
    }

    fn float(
        &mut self,
        base: &str,
        kind: Type,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        let flush = mods.take("ftz");
        if flush && kind != Type::F32 {
            return Err("only f32 knows .ftz".into());
        }
        let approximate = mods.take_any(&["approx", "full"]).is_some();
        check_rounding(base, approximate, mods)?;
        self.relaxed = flush || approximate;
        let name = if matches!(base, "min" | "max") && mods.take("NaN") {
            format!("{base}.NaN")
        } else {
            base.into()
        };
        let unknown = || format!("{base} is not known for this type");
        let to = self.target(&operands[0], kind, Fit::Exact)?;
        let a = self.value(&operands[1], kind)?;
        match operands.len() {
            2 => Ok(Action::Map1 { f: float_map1(&name, kind).ok_or_else(unknown)?, to, a, flush }),
            3 => {
                let f = float_map2(&name, kind).ok_or_else(unknown)?;
                Ok(Action::Map2 { f, to, a, b: self.value(&operands[2], kind)?, flush })
            }
            _ => {
                let f = float_map3(&name, kind).ok_or_else(unknown)?;
                let (b, c) = (self.value(&operands[2], kind)?, self.value(&operands[3], kind)?);
                Ok(Action::Map3(Box::new(Apply3 { f, to, a, b, c, flush })))
            }
        }
    }

    fn integer(
        &mut self,
        base: &str,
        kind: Type,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        let mut name = base.to_owned();
        if matches!(base, "mul" | "mad") {
            let half = mods.take_any(&["lo", "hi", "wide"]).ok_or("no .lo, .hi or .wide")?;
            name = format!("{base}.{half}");
        } else if mods.take("sat") {
            name = format!("{base}.sat");
        }
        let result =
            if name.ends_with(".wide") { widened(kind).ok_or(".wide of 64 bits")? } else { kind };
        let unknown = || format!("{name} is not known for this type");
        let to = self.target(&operands[0], result, Fit::Exact)?;
        let a = self.value(&operands[1], kind)?;
        match operands.len() {
            2 => Ok(Action::Map1 {
                f: integer_map1(&name, kind).ok_or_else(unknown)?,
                to,
                a,
                flush: false,
            }),
            3 => {
                let f = integer_map2(&name, kind).ok_or_else(unknown)?;
                Ok(Action::Map2 { f, to, a, b: self.value(&operands[2], kind)?, flush: false })
            }
            _ => {
                let f = integer_map3(&name, kind).ok_or_else(unknown)?;
                let (b, c) = (self.value(&operands[2], kind)?, self.value(&operands[3], result)?);
                Ok(Action::Map3(Box::new(Apply3 { f, to, a, b, c, flush: false })))
            }
        }
    }
}

/// Takes the rounding of a float instruction; an error where one is missing or does not fit.
fn check_rounding(base: &str, approximate: bool, mods: &mut Mods) -> Result<(), String> {
    match base {
        "rsqrt" | "ex2" | "lg2" | "sin" | "cos" | "tanh" if approximate => Ok(()),
        "rsqrt" | "ex2" | "lg2" | "sin" | "cos" | "tanh" => {
            Err(format!("{base} is only known as .approx"))
        }
        "div" | "sqrt" | "rcp" if approximate => Ok(()),
        _ if approximate => Err(format!("{base} is not known as .approx")),
        "mad" | "fma" | "div" | "sqrt" | "rcp" if !mods.take("rn") => {
            Err(format!("{base} needs a rounding, and .rn is the only one known"))
        }
        "add" | "sub" | "mul" => {
            mods.take("rn");
            Ok(())
        }
        _ => Ok(()),
    }
}

fn widened(kind: Type) -> Option<Type> {
    Some(match kind {
        Type::U16 => Type::U32,
        Type::S16 => Type::S32,
        Type::U32 => Type::U64,
        Type::S32 => Type::S64,
        _ => return None,
    })
}
