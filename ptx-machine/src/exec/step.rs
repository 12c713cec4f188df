//! Lanes at one place run together, one instruction after the other.

use super::common::Common;
use super::trouble::{Stop, lanes, stop};
use super::warp::{Path, Warp};
use super::worker::Worker;
use crate::code::{Action, Guard, Instruction, NONE, Row, WARP};
use crate::fault::FaultKind;

/// Instructions after which a group lets another one run.
const PATIENCE: u64 = 4096;

/// Strong accesses after which it does so: it may wait for what the other one writes.
const MANY: u32 = 16;

/// Where a group goes on.
pub(super) enum Next {
    Step,
    Jump(u32),
    /// Its lanes went apart or wait: their places are written already.
    Regroup,
}

/// Lanes of one path at one place.
#[derive(Clone, Copy)]
pub(super) struct Group {
    pub mask: u32,
    pub pc: u32,
    pub path: u32,
    /// A place where other lanes wait to be joined, or beyond which they come first.
    limit: u32,
}

impl Warp {
    /// Runs until the turn is spent or nobody can go on.
    pub fn run(
        &mut self,
        worker: &mut Worker,
        common: &mut Common,
        turn: u64,
    ) -> Result<(), (u32, Stop)> {
        let end = worker.warp_instructions + turn;
        // The lanes that ran until their patience was spent.
        let mut spinning = 0;
        while worker.warp_instructions < end && self.runnable() != 0 {
            let by_lot = worker.grid.seed != 0 && worker.random.below(8) == 0;
            let (group, most) = if by_lot {
                let drawn = worker.random.below(WARP as u64) as u32;
                (self.group_of(drawn), 1 + worker.random.below(64))
            } else if self.runnable() & !spinning != 0 && spinning != 0 {
                // Lanes that spin must not keep the one that they wait for from running.
                (self.group_of((self.runnable() & !spinning).trailing_zeros()), PATIENCE)
            } else {
                spinning = 0;
                (self.lowest_group(), PATIENCE)
            };
            let until = end.min(worker.warp_instructions + most);
            self.strong_accesses = 0;
            self.run_group(worker, common, group, until)?;
            let spun = self.strong_accesses >= MANY
                || most == PATIENCE && worker.warp_instructions >= until;
            spinning = if spun { spinning | group.mask } else { 0 };
        }
        Ok(())
    }

    /// The group of the first runnable lane from here on, without a limit.
    fn group_of(&self, from: u32) -> Group {
        let runnable = self.runnable();
        let lane = (runnable.rotate_right(from).trailing_zeros() + from) as usize % WARP;
        self.group_at(lane, runnable)
    }

    fn group_at(&self, leader: usize, runnable: u32) -> Group {
        let (pc, path) = (self.pcs[leader], self.lane_paths[leader]);
        let mut mask = 0;
        for lane in 0..WARP {
            mask |= u32::from(self.pcs[lane] == pc && self.lane_paths[lane] == path) << lane;
        }
        Group { mask: mask & runnable, pc, path, limit: NONE }
    }

    /// The group furthest behind: deepest in calls, then first in the text. Others join it as it passes.
    fn lowest_group(&self) -> Group {
        let runnable = self.runnable();
        let first = self.group_at(runnable.trailing_zeros() as usize % WARP, runnable);
        if first.mask == runnable {
            return first;
        }
        let key = |lane: usize| (u32::MAX - self.path(lane).depth, self.pcs[lane]);
        let leader = lanes(runnable).min_by_key(|&lane| key(lane)).unwrap_or(0);
        let mut group = self.group_at(leader, runnable);
        let others =
            lanes(runnable & !group.mask).filter(|&lane| self.lane_paths[lane] == group.path);
        group.limit = others.map(|lane| self.pcs[lane]).min().unwrap_or(NONE);
        group
    }

    fn run_group(
        &mut self,
        worker: &mut Worker,
        common: &mut Common,
        mut group: Group,
        until: u64,
    ) -> Result<(), (u32, Stop)> {
        let code = worker.grid.code;
        let path = self.paths[group.path as usize];
        let width = u64::from(group.mask.count_ones());
        loop {
            let pc = group.pc;
            self.here = pc;
            let Some(instruction) = code.instructions.get(pc as usize) else {
                return Err((pc, stop(0, FaultKind::Trap)));
            };
            worker.counts[pc as usize] += width;
            worker.unsettled += width;
            worker.warp_instructions += 1;
            let active = group.mask & self.guard(instruction.guard, &path);
            match self
                .step(worker, common, instruction, group, &path, active)
                .map_err(|trouble| (pc, trouble))?
            {
                Next::Step => group.pc += 1,
                Next::Jump(target) => group.pc = target,
                Next::Regroup => return Ok(()),
            }
            if group.pc >= group.limit
                || worker.warp_instructions >= until
                || self.strong_accesses >= MANY
            {
                self.place_at(group.mask, group.pc);
                return Ok(());
            }
        }
    }

    fn guard(&self, guard: Guard, path: &Path) -> u32 {
        if guard.predicate == NONE {
            return u32::MAX;
        }
        let holds = self.predicates[(path.predicate_base + guard.predicate) as usize];
        if guard.negated { !holds } else { holds }
    }

    fn step(
        &mut self,
        worker: &mut Worker,
        common: &mut Common,
        instruction: &Instruction,
        group: Group,
        path: &Path,
        active: u32,
    ) -> Result<Next, Stop> {
        let base = path.row_base;
        match &instruction.action {
            Action::Branch { target } => return Ok(self.branch(group, active, *target)),
            _ if active == 0 => return Ok(Next::Step),
            Action::Map2 { f, to, a, b, flush: false } => {
                let mut out = [0; WARP];
                f(&mut out, self.row(base, *a), self.row(base, *b));
                self.write(*to, base, active, &out);
            }
            Action::Map1 { f, to, a, flush: false } => {
                let mut out = [0; WARP];
                f(&mut out, self.row(base, *a));
                self.write(*to, base, active, &out);
            }
            Action::Map3(apply) => self.map3(apply, base, active),
            Action::Compare(compare) => self.compare(compare, path, active),
            Action::Load(access) => {
                self.strong_accesses += u32::from(access.order.strong);
                self.load(worker, common, access, base, active)?;
            }
            Action::Store(access) => self.store(worker, common, access, base, active)?,
            Action::Atomic(atomic) => {
                self.strong_accesses += 1;
                self.atomic(worker, common, atomic, base, active)?;
            }
            Action::Warp(op) => return self.arrive(worker.grid, common, op, group, path, active),
            _ => return self.rare(worker, common, instruction, group, path, active),
        }
        Ok(Next::Step)
    }

    pub fn row(&self, base: u32, row: u32) -> &Row {
        &self.rows[(base + row) as usize]
    }

    fn rare(
        &mut self,
        worker: &mut Worker,
        common: &mut Common,
        instruction: &Instruction,
        group: Group,
        path: &Path,
        active: u32,
    ) -> Result<Next, Stop> {
        match &instruction.action {
            Action::Barrier(barrier) => {
                return self.arrive_at_barrier(common, barrier, group, path, active);
            }
            Action::Call(call) => return self.call(worker.grid, common, call, group, path, active),
            Action::Return => return self.return_from(worker.grid, common, group, path, active),
            Action::Exit => return self.exit(worker.grid, common, group, active),
            Action::Trap => return Err(stop(active.trailing_zeros(), FaultKind::Trap)),
            Action::BranchTable { index, targets } => {
                return self.branch_table(path.row_base, *index, targets, group, active);
            }
            Action::Fence { scope } => {
                if let (Some(races), Some(global)) = (&mut common.races, &worker.grid.races) {
                    lanes(active).for_each(|lane| races.fence(global, self.number, lane, *scope));
                }
            }
            Action::ActiveMask { to } => {
                let out = [active.into(); WARP];
                self.write(*to, path.row_base, active, &out);
            }
            other => self.plain(other, path, active),
        }
        Ok(Next::Step)
    }

    fn branch(&mut self, group: Group, taken: u32, target: u32) -> Next {
        if taken == group.mask {
            return Next::Jump(target);
        }
        if taken == 0 {
            return Next::Step;
        }
        self.place_at(taken, target);
        self.place_at(group.mask & !taken, group.pc + 1);
        Next::Regroup
    }

    fn branch_table(
        &mut self,
        base: u32,
        index: u32,
        targets: &[u32],
        group: Group,
        active: u32,
    ) -> Result<Next, Stop> {
        self.place_at(group.mask & !active, group.pc + 1);
        for lane in lanes(active) {
            let index = self.row(base, index)[lane] as u32;
            let target = targets.get(index as usize);
            let kind = FaultKind::BranchIndex { index, length: targets.len() };
            self.pcs[lane] = *target.ok_or_else(|| stop(lane as u32, kind))?;
        }
        Ok(Next::Regroup)
    }
}
