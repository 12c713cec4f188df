//! `mov`, `cvt`, `cvta`.

use super::arithmetic::expect_operands;
use super::function::FunctionDecoder;
use super::mods::Mods;
use super::names::Fit;
use crate::code::{
    Action, Constant, Conversion, Convert, LOCAL_WINDOW, NONE, Rounding, SHARED_WINDOW,
};
use crate::rows::{bit_map2, integer_map2};
use crate::syntax::{Operand, Type};

/// A bit type of this many bits.
fn raw(bits: u32) -> Option<Type> {
    [Type::B8, Type::B16, Type::B32, Type::B64].into_iter().find(|kind| kind.bits() == bits)
}

impl FunctionDecoder<'_> {
    pub fn mov(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        let kind = mods.take_type()?;
        expect_operands(operands, 2)?;
        match (&operands[0], &operands[1]) {
            (to, from) if kind == Type::Pred => {
                let (to, a) = (self.predicate_target(to)?, self.plain_predicate(from)?);
                Ok(Action::Logic { f: |a, _| a, to, a, b: a })
            }
            (to, Operand::Vector(parts)) => self.pack(to, parts, kind),
            (Operand::Vector(parts), from) => self.unpack(parts, from, kind),
            (to, from) => {
                let to = self.target(to, kind, Fit::Exact)?;
                let a = self.value(from, kind)?;
                self.copy(to, a)
            }
        }
    }

    /// A copy is an `or` with itself: rows have no function of their own for it.
    fn copy(&mut self, to: u32, a: u32) -> Result<Action, String> {
        let f = bit_map2("or", Type::B64).ok_or("no copy")?;
        Ok(Action::Map2 { f, to, a, b: a, flush: false })
    }

    fn part(parts: &[Operand], kind: Type) -> Result<Type, String> {
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let fits = matches!(count, 2 | 4) && kind.bits() / count >= 8;
        raw(kind.bits() / count.max(1))
            .filter(|_| fits)
            .ok_or_else(|| format!("{count} parts do not make this type"))
    }

    fn pack(&mut self, to: &Operand, parts: &[Operand], kind: Type) -> Result<Action, String> {
        let part = Self::part(parts, kind)?;
        let to = self.target(to, kind, Fit::Exact)?;
        let mut rows = [NONE; 4];
        for (row, operand) in rows.iter_mut().zip(parts) {
            *row = self.source_of(
                operand,
                part,
                if part == Type::B8 { Fit::AtLeast } else { Fit::Exact },
            )?;
        }
        Ok(Action::Pack { to, parts: rows, bits: part.bits() })
    }

    fn unpack(&mut self, parts: &[Operand], from: &Operand, kind: Type) -> Result<Action, String> {
        let part = Self::part(parts, kind)?;
        let from = self.value(from, kind)?;
        let mut rows = [NONE; 4];
        for (row, operand) in rows.iter_mut().zip(parts) {
            *row = self.target(
                operand,
                part,
                if part == Type::B8 { Fit::AtLeast } else { Fit::Exact },
            )?;
        }
        Ok(Action::Unpack { to: rows, from, bits: part.bits() })
    }

    pub fn cvta(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        let kind = mods.take_type()?;
        expect_operands(operands, 2)?;
        if kind != Type::U64 {
            return Err("only 64-bit addresses are known".into());
        }
        let into_space = mods.take("to");
        let space = mods
            .take_if(|word| word.split("::").next().is_some_and(is_space))
            .ok_or("no state space")?;
        let window = match space.split("::").next() {
            Some("shared") => SHARED_WINDOW,
            Some("local") => LOCAL_WINDOW,
            _ => 0,
        };
        let to = self.target(&operands[0], kind, Fit::Exact)?;
        let a = self.value(&operands[1], kind)?;
        if window == 0 {
            return self.copy(to, a);
        }
        let f =
            integer_map2(if into_space { "sub" } else { "add" }, Type::U64).ok_or("no addition")?;
        Ok(Action::Map2 { f, to, a, b: self.constant(Constant::Bits(window)), flush: false })
    }

    pub fn cvt(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        let saturate = mods.take("sat");
        let relu = mods.take("relu");
        let flush = mods.take("ftz");
        let word = mods.take_any(&["rn", "rz", "rm", "rp", "rni", "rzi", "rmi", "rpi"]);
        let (to, from) = (mods.take_type()?, mods.take_type()?);
        let packed = matches!(to, Type::F16x2 | Type::Bf16x2);
        expect_operands(operands, if packed { 3 } else { 2 })?;
        let rounding = match word {
            Some("rz" | "rzi") => Rounding::Zero,
            Some("rm" | "rmi") => Rounding::Down,
            Some("rp" | "rpi") => Rounding::Up,
            _ => Rounding::Nearest,
        };
        check_conversion(to, from, word, relu || packed)?;
        if flush && to != Type::F32 && from != Type::F32 {
            return Err("only f32 knows .ftz".into());
        }
        self.relaxed = flush;
        let integral = to == from && to.is_float() && word.is_some_and(|word| word.ends_with('i'));
        let rule = Conversion { from, to, rounding, integral, saturate, relu };
        let row = self.target(&operands[0], to, Fit::AtLeast)?;
        let a = self.source_of(&operands[1], from, Fit::AtLeast)?;
        let b = if packed { self.value(&operands[2], from)? } else { NONE };
        if let Some(f) = rule.fast().filter(|_| !flush && self.same_width(&operands[0], to)) {
            return Ok(Action::Map1 { f, to: row, a, flush: false });
        }
        let keep = self.register_mask(&operands[0]);
        Ok(Action::Convert(Box::new(Convert { rule, to: row, a, b, keep, flush })))
    }

    fn same_width(&mut self, operand: &Operand, kind: Type) -> bool {
        matches!(operand, Operand::Name(name) if self.register(name).is_some_and(|(_, t)| t.bits() == kind.bits()))
    }

    /// The bits that a target register has.
    fn register_mask(&mut self, operand: &Operand) -> u64 {
        match operand {
            Operand::Name(name) => {
                self.register(name).map_or(u64::MAX, |(_, kind)| mask_of(kind.bits()))
            }
            _ => u64::MAX,
        }
    }
}

pub(super) fn mask_of(bits: u32) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

fn is_space(word: &str) -> bool {
    matches!(word, "global" | "shared" | "local" | "const" | "param")
}

/// Whether PTX knows this conversion, and whether it wants a rounding.
fn check_conversion(
    to: Type,
    from: Type,
    rounding: Option<&str>,
    packing: bool,
) -> Result<(), String> {
    let integral = rounding.is_some_and(|word| word.ends_with('i'));
    let known = |kind: Type| {
        !matches!(
            kind,
            Type::Pred | Type::F16x2 | Type::Bf16x2 | Type::B8 | Type::B16 | Type::B32 | Type::B64
        )
    };
    if !known(from) || !(known(to) || packing && from == Type::F32) {
        return Err("cvt does not know these types".into());
    }
    let narrowing = matches!(to, Type::F16x2 | Type::Bf16x2)
        || to.is_float() && from.is_float() && to.bits() < from.bits();
    let wanted = match (to.is_float(), from.is_float()) {
        (true, true) if narrowing => rounding.is_some() && !integral,
        (true, true) if to.bits() == from.bits() && to == from => rounding.is_none() || integral,
        (true, true) => rounding.is_none(),
        (true, false) => rounding.is_some() && !integral,
        (false, true) => integral,
        (false, false) => rounding.is_none(),
    };
    if wanted { Ok(()) } else { Err("cvt between these types wants another rounding".into()) }
}
