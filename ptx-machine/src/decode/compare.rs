//! `setp` and `selp`.

use super::arithmetic::expect_operands;
use super::function::FunctionDecoder;
use super::mods::Mods;
use super::names::Fit;
use crate::code::{Action, Compare, NONE};
use crate::rows::{logic, relation, test};
use crate::syntax::{Operand, Type};

impl FunctionDecoder<'_> {
    pub fn setp(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        let kind = mods.take_type()?;
        let flush = mods.take("ftz");
        if flush && kind != Type::F32 {
            return Err("only f32 knows .ftz".into());
        }
        self.relaxed = flush;
        let word = mods
            .take_if(|word| relation(word, kind).is_some())
            .ok_or("no comparison known for this type")?;
        let relation = relation(word, kind).ok_or("no comparison known for this type")?;
        let test = test(relation, kind).ok_or("no comparison known for this type")?;
        let combine = mods.take_any(&["and", "or", "xor"]);
        expect_operands(operands, if combine.is_some() { 4 } else { 3 })?;
        let (to, to_other) = match &operands[0] {
            Operand::Pair(p, q) => (self.predicate_target(p)?, self.predicate_target(q)?),
            single => (self.predicate_target(single)?, NONE),
        };
        let (a, b) = (self.value(&operands[1], kind)?, self.value(&operands[2], kind)?);
        let combine = match combine {
            Some(word) => {
                let (row, negated) = self.predicate_source(&operands[3])?;
                Some((logic(word).ok_or("unknown logic")?, row, negated))
            }
            None => None,
        };
        Ok(Action::Compare(Box::new(Compare { test, to, to_other, a, b, combine, flush })))
    }

    pub fn selp(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        let kind = mods.take_type()?;
        expect_operands(operands, 4)?;
        if kind.bits() < 16 {
            return Err("selp is not known for this type".into());
        }
        let to = self.target(&operands[0], kind, Fit::Exact)?;
        let (a, b) = (self.value(&operands[1], kind)?, self.value(&operands[2], kind)?);
        let predicate = self.plain_predicate(&operands[3])?;
        Ok(Action::Select { to, a, b, predicate })
    }
}
