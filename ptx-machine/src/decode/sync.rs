//! Where lanes meet: shuffles, votes, barriers.

use super::arithmetic::expect_operands;
use super::function::FunctionDecoder;
use super::mods::Mods;
use super::moves::mask_of;
use super::names::Fit;
use crate::code::{Action, Barrier, BarrierKind, Constant, NONE, WarpKind, WarpOp};
use crate::rows::update;
use crate::syntax::{Operand, Type};

const EMPTY: WarpOp = WarpOp {
    kind: WarpKind::Sync,
    to: NONE,
    to_predicate: NONE,
    value: NONE,
    predicate: NONE,
    negated: false,
    b: NONE,
    c: NONE,
    members: NONE,
    mask: u64::MAX,
};

impl FunctionDecoder<'_> {
    pub fn warp_op(
        &mut self,
        base: &str,
        mods: &mut Mods,
        operands: &[Operand],
    ) -> Result<Action, String> {
        if !mods.take("sync") {
            return Err(format!("{base} without .sync is undefined on sm_70 and later"));
        }
        let op = match base {
            "shfl" => self.shuffle(mods, operands),
            "vote" => self.vote(mods, operands),
            "match" => self.match_op(mods, operands),
            _ => self.reduce(mods, operands),
        }?;
        Ok(Action::Warp(Box::new(op)))
    }

    fn shuffle(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<WarpOp, String> {
        expect_operands(operands, 5)?;
        let kind = match mods.take_any(&["up", "down", "bfly", "idx"]) {
            Some("up") => WarpKind::ShuffleUp,
            Some("down") => WarpKind::ShuffleDown,
            Some("bfly") => WarpKind::ShuffleButterfly,
            Some(_) => WarpKind::ShuffleIndex,
            None => return Err("no mode of shuffle".into()),
        };
        if mods.take_type()? != Type::B32 {
            return Err("shfl knows .b32 only".into());
        }
        let (to, to_predicate) = self.with_predicate(&operands[0])?;
        Ok(WarpOp {
            kind,
            to,
            to_predicate,
            value: self.value(&operands[1], Type::B32)?,
            b: self.value(&operands[2], Type::U32)?,
            c: self.value(&operands[3], Type::U32)?,
            members: self.value(&operands[4], Type::U32)?,
            ..EMPTY
        })
    }

    fn with_predicate(&mut self, operand: &Operand) -> Result<(u32, u32), String> {
        match operand {
            Operand::Pair(to, p) => {
                Ok((self.target(to, Type::B32, Fit::Exact)?, self.predicate_target(p)?))
            }
            single => Ok((self.target(single, Type::B32, Fit::Exact)?, NONE)),
        }
    }

    fn vote(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<WarpOp, String> {
        expect_operands(operands, 3)?;
        let kind = match mods.take_any(&["all", "any", "uni", "ballot"]) {
            Some("all") => WarpKind::VoteAll,
            Some("any") => WarpKind::VoteAny,
            Some("uni") => WarpKind::VoteUniform,
            Some(_) => WarpKind::Ballot,
            None => return Err("no mode of vote".into()),
        };
        let wanted = if matches!(kind, WarpKind::Ballot) { Type::B32 } else { Type::Pred };
        if mods.take_type()? != wanted {
            return Err("this vote does not know this type".into());
        }
        let (predicate, negated) = self.predicate_source(&operands[1])?;
        let members = self.value(&operands[2], Type::U32)?;
        let mut op = WarpOp { kind, predicate, negated, members, ..EMPTY };
        if matches!(kind, WarpKind::Ballot) {
            op.to = self.target(&operands[0], Type::B32, Fit::Exact)?;
        } else {
            op.to_predicate = self.predicate_target(&operands[0])?;
        }
        Ok(op)
    }

    fn match_op(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<WarpOp, String> {
        expect_operands(operands, 3)?;
        let kind = match mods.take_any(&["any", "all"]) {
            Some("any") => WarpKind::MatchAny,
            Some(_) => WarpKind::MatchAll,
            None => return Err("no mode of match".into()),
        };
        let element = mods.take_type()?;
        if !matches!(element, Type::B32 | Type::B64) {
            return Err("match knows .b32 and .b64".into());
        }
        let (to, to_predicate) = self.with_predicate(&operands[0])?;
        let value = self.value(&operands[1], element)?;
        let members = self.value(&operands[2], Type::U32)?;
        Ok(WarpOp {
            kind,
            to,
            to_predicate,
            value,
            members,
            mask: mask_of(element.bits()),
            ..EMPTY
        })
    }

    fn reduce(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<WarpOp, String> {
        expect_operands(operands, 3)?;
        let operation = mods
            .take_any(&["add", "min", "max", "and", "or", "xor"])
            .ok_or("no operation known here")?;
        let kind = mods.take_type()?;
        if kind.bits() != 32 || kind.is_float() {
            return Err("redux knows 32-bit integers".into());
        }
        let update = update(operation, kind).ok_or("redux does not know this type")?;
        let to = self.target(&operands[0], kind, Fit::Exact)?;
        let value = self.value(&operands[1], kind)?;
        Ok(WarpOp {
            kind: WarpKind::Reduce(update),
            to,
            value,
            members: self.value(&operands[2], Type::U32)?,
            ..EMPTY
        })
    }

    pub fn active_mask(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        expect_operands(operands, 1)?;
        let kind = mods.take_type()?;
        if kind != Type::B32 {
            return Err("activemask knows .b32 only".into());
        }
        Ok(Action::ActiveMask { to: self.target(&operands[0], kind, Fit::Exact)? })
    }

    pub fn barrier(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        if mods.take("warp") {
            if !mods.take("sync") {
                return Err("bar.warp without .sync".into());
            }
            expect_operands(operands, 1)?;
            let members = self.value(&operands[0], Type::U32)?;
            return Ok(Action::Warp(Box::new(WarpOp { members, ..EMPTY })));
        }
        self.block_barrier(mods, operands)
    }

    fn block_barrier(&mut self, mods: &mut Mods, operands: &[Operand]) -> Result<Action, String> {
        mods.take("cta");
        let word = mods.take_any(&["sync", "arrive", "red"]).ok_or("no kind of barrier")?;
        let kind = match word {
            "sync" => BarrierKind::Sync,
            "arrive" => BarrierKind::Arrive,
            _ => match mods.take_any(&["popc", "and", "or"]) {
                Some("popc") => BarrierKind::Count,
                Some("and") => BarrierKind::And,
                Some(_) => BarrierKind::Or,
                None => return Err("no reduction known here".into()),
            },
        };
        let aligned = mods.take("aligned") || self.plain_bar;
        let [number, threads, to, predicate] = [NONE; 4];
        let mut barrier = Barrier { kind, number, threads, aligned, to, predicate, negated: false };
        let mut rest = operands;
        if word == "red" {
            let [first, middle @ .., last] = operands else {
                return Err("too few operands".into());
            };
            rest = middle;
            barrier.to = if kind == BarrierKind::Count {
                mods.take("u32");
                self.target(first, Type::U32, Fit::Exact)?
            } else {
                mods.take("pred");
                self.predicate_target(first)?
            };
            (barrier.predicate, barrier.negated) = self.predicate_source(last)?;
        }
        self.barrier_operands(barrier, rest)
    }

    fn barrier_operands(
        &mut self,
        mut barrier: Barrier,
        rest: &[Operand],
    ) -> Result<Action, String> {
        match rest {
            [] if barrier.kind == BarrierKind::Sync => {
                barrier.number = self.constant(Constant::Bits(0))
            }
            [number] if barrier.kind != BarrierKind::Arrive => {
                barrier.number = self.value(number, Type::U32)?
            }
            [number, threads] => {
                barrier.number = self.value(number, Type::U32)?;
                barrier.threads = self.value(threads, Type::U32)?;
            }
            _ => return Err(format!("{} operands do not fit this barrier", rest.len())),
        }
        Ok(Action::Barrier(Box::new(barrier)))
    }
}
