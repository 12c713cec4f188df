//! Shuffles, votes, matches: instructions at which the lanes of a mask meet.

use super::common::Common;
use super::grid::Grid;
use super::step::{Group, Next};
use super::trouble::{Stop, lanes, stop};
use super::warp::{Path, Warp};
use crate::code::{Action, NONE, Row, WARP, WarpKind, WarpOp};
use crate::fault::FaultKind;

/// What the lanes bring to a meeting.
struct Inputs {
    values: Row,
    predicates: u32,
    b: [u32; WARP],
    c: [u32; WARP],
}

/// What they take away.
struct Outputs {
    values: Row,
    predicates: u32,
}

impl Warp {
    /// Lanes reach a meeting: they go on at once where all are there, else they wait.
    pub fn arrive(
        &mut self,
        grid: &Grid,
        common: &mut Common,
        op: &WarpOp,
        group: Group,
        path: &Path,
        active: u32,
    ) -> Result<Next, Stop> {
        let members = *self.row(path.row_base, op.members);
        let first = members[active.trailing_zeros() as usize % WARP] as u32;
        let together = active == group.mask
            && first & self.live == active
            && lanes(active).all(|lane| members[lane] as u32 == first);
        if together {
            self.meet_at(common, op, path, active)?;
            return Ok(Next::Step);
        }
        for lane in lanes(active) {
            let mask = members[lane] as u32;
            if mask >> lane & 1 == 0 {
                return Err(stop(lane as u32, FaultKind::BadMask { mask }));
            }
            self.waits_for[lane] = mask;
        }
        self.place_at(active, group.pc);
        self.place_at(group.mask & !active, group.pc + 1);
        self.meeting |= active;
        self.meet_without(grid, common)?;
        Ok(Next::Regroup)
    }

    /// Lets every meeting go on whose lanes are all there or have exited.
    pub fn meet_without(&mut self, grid: &Grid, common: &mut Common) -> Result<(), Stop> {
        let mut rest = self.meeting;
        while rest != 0 {
            let lane = rest.trailing_zeros() as usize;
            let mask = self.waits_for[lane];
            let wanted = mask & self.live;
            let kind = op_at(grid, self.pcs[lane]).map(|op| op.kind);
            let there = lanes(self.meeting & wanted)
                .filter(|&other| {
                    self.waits_for[other] == mask
                        && same_kind(op_at(grid, self.pcs[other]).map(|op| op.kind), kind)
                })
                .fold(0, |there, other| there | 1 << other);
            rest &= !(there | 1 << lane);
            if there == wanted {
                self.meet_apart(grid, common, there)?;
            }
        }
        Ok(())
    }

    /// All lanes at one place.
    fn meet_at(
        &mut self,
        common: &mut Common,
        op: &WarpOp,
        path: &Path,
        active: u32,
    ) -> Result<(), Stop> {
        let mut inputs = Inputs { values: [0; WARP], predicates: 0, b: [0; WARP], c: [0; WARP] };
        self.bring(op, path, active, &mut inputs);
        let outputs = outcome(op, &inputs, active)?;
        self.take(op, path, active, &outputs);
        if matches!(op.kind, WarpKind::Sync) {
            self.synchronise(common, active);
        }
        Ok(())
    }

    /// Lanes at several places that meet all the same.
    fn meet_apart(&mut self, grid: &Grid, common: &mut Common, active: u32) -> Result<(), Stop> {
        let mut inputs = Inputs { values: [0; WARP], predicates: 0, b: [0; WARP], c: [0; WARP] };
        for lane in lanes(active) {
            if let Some(op) = op_at(grid, self.pcs[lane]) {
                self.bring(op, &self.path(lane), 1 << lane, &mut inputs);
            }
        }
        for lane in lanes(active) {
            let Some(op) = op_at(grid, self.pcs[lane]) else { continue };
            let outputs = outcome(op, &inputs, active)?;
            self.take(op, &self.path(lane), 1 << lane, &outputs);
            if matches!(op.kind, WarpKind::Sync) && lane == active.trailing_zeros() as usize {
                self.synchronise(common, active);
            }
        }
        lanes(active).for_each(|lane| self.pcs[lane] += 1);
        self.meeting &= !active;
        Ok(())
    }

    /// `bar.warp.sync` orders memory among its lanes; shuffles and votes do not.
    fn synchronise(&self, common: &mut Common, active: u32) {
        if let Some(races) = &mut common.races {
            races.join_lanes(self.number, active, active == self.live);
        }
    }

    fn bring(&self, op: &WarpOp, path: &Path, mask: u32, inputs: &mut Inputs) {
        if op.predicate != NONE {
            let bits = self.predicates[(path.predicate_base + op.predicate) as usize];
            inputs.predicates |= mask & if op.negated { !bits } else { bits };
        }
        for (source, target) in [(op.b, &mut inputs.b), (op.c, &mut inputs.c)] {
            if source != NONE {
                let row = self.row(path.row_base, source);
                lanes(mask).for_each(|lane| target[lane] = row[lane] as u32);
            }
        }
        if op.value != NONE {
            let row = self.row(path.row_base, op.value);
            lanes(mask).for_each(|lane| inputs.values[lane] = row[lane]);
        }
    }

    fn take(&mut self, op: &WarpOp, path: &Path, mask: u32, outputs: &Outputs) {
        self.write(op.to, path.row_base, mask, &outputs.values);
        self.write_predicate(op.to_predicate, path.predicate_base, mask, outputs.predicates);
    }
}

fn op_at<'a>(grid: &'a Grid, pc: u32) -> Option<&'a WarpOp> {
    match grid.code.instructions.get(pc as usize).map(|instruction| &instruction.action) {
        Some(Action::Warp(op)) => Some(op),
        _ => None,
    }
}

fn same_kind(a: Option<WarpKind>, b: Option<WarpKind>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
        _ => false,
    }
}

fn outcome(op: &WarpOp, inputs: &Inputs, active: u32) -> Result<Outputs, Stop> {
    let mut out = Outputs { values: [0; WARP], predicates: 0 };
    match op.kind {
        WarpKind::ShuffleUp
        | WarpKind::ShuffleDown
        | WarpKind::ShuffleButterfly
        | WarpKind::ShuffleIndex => {
            shuffle(op, inputs, active, &mut out)?;
        }
        WarpKind::VoteAll => out.predicates = every(inputs.predicates & active == active),
        WarpKind::VoteAny => out.predicates = every(inputs.predicates & active != 0),
        WarpKind::VoteUniform => {
            let set = inputs.predicates & active;
            out.predicates = every(set == 0 || set == active);
        }
        WarpKind::Ballot => out.values = [(inputs.predicates & active).into(); WARP],
        WarpKind::MatchAny => {
            for lane in lanes(active) {
                out.values[lane] = equal_to(inputs, op.mask, active, lane).into();
            }
        }
        WarpKind::MatchAll => {
            let first = active.trailing_zeros() as usize % WARP;
            let all = equal_to(inputs, op.mask, active, first) == active;
            out.predicates = every(all);
            out.values = [if all { active.into() } else { 0 }; WARP];
        }
        WarpKind::Reduce(update) => {
            let mut values = lanes(active).map(|lane| inputs.values[lane]);
            let first = values.next().unwrap_or(0);
            out.values = [values.fold(first, |total, value| update(total, value, value)); WARP];
        }
        WarpKind::Sync => {}
    }
    Ok(out)
}

fn every(holds: bool) -> u32 {
    if holds { u32::MAX } else { 0 }
}

fn equal_to(inputs: &Inputs, mask: u64, active: u32, lane: usize) -> u32 {
    let equal = |other: &usize| (inputs.values[*other] ^ inputs.values[lane]) & mask == 0;
    lanes(active).filter(equal).fold(0, |found, other| found | 1 << other)
}

/// PTX's own arithmetic of segments and clamps.
fn shuffle(op: &WarpOp, inputs: &Inputs, active: u32, out: &mut Outputs) -> Result<(), Stop> {
    for lane in lanes(active) {
        let own = lane as u32;
        let (by, clamp, segment) =
            (inputs.b[lane] & 31, inputs.c[lane] & 31, inputs.c[lane] >> 8 & 31);
        let last = own & segment | clamp & !segment & 31;
        let (source, inside) = match op.kind {
            WarpKind::ShuffleUp => {
                let source = own.wrapping_sub(by);
                (source, source.cast_signed() >= last.cast_signed())
            }
            WarpKind::ShuffleDown => (own + by, own + by <= last),
            WarpKind::ShuffleButterfly => (own ^ by, own ^ by <= last),
            _ => {
                let source = own & segment | by & !segment & 31;
                (source, source <= last)
            }
        };
        let source = if inside { source } else { own };
        if active >> source & 1 == 0 {
            return Err(stop(own, FaultKind::AbsentLane { source }));
        }
        out.values[lane] = inputs.values[source as usize % WARP];
        out.predicates |= u32::from(inside) << lane;
    }
    Ok(())
}
