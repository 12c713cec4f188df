//! Barriers of a block.

use super::block::Block;
use super::common::{BARRIERS, BarrierState, Common, fault};
use super::step::{Group, Next};
use super::trouble::{Stop, Trouble, lanes, stop};
use super::warp::{Path, Warp};
use super::worker::Worker;
use crate::code::{Action, Barrier, BarrierKind, NONE, WARP};
use crate::fault::{Fault, FaultKind};

impl Warp {
    pub fn arrive_at_barrier(
        &mut self,
        common: &mut Common,
        barrier: &Barrier,
        group: Group,
        path: &Path,
        active: u32,
    ) -> Result<Next, Stop> {
        for lane in lanes(active) {
            let wrong = |message| stop(lane as u32, FaultKind::BadBarrier { message });
            self.count_arrival(common, barrier, path, lane).map_err(wrong)?;
        }
        common.arrivals = true;
        self.place_at(group.mask & !active, group.pc + 1);
        if barrier.kind == BarrierKind::Arrive {
            self.place_at(active, group.pc + 1);
            if let Some(races) = &mut common.races {
                for lane in lanes(active) {
                    races.arrive(self.waits_for[lane] as usize, self.number, 1 << lane);
                }
            }
        } else {
            self.place_at(active, group.pc);
            self.blocked |= active;
        }
        Ok(Next::Regroup)
    }

    fn count_arrival(
        &mut self,
        common: &mut Common,
        barrier: &Barrier,
        path: &Path,
        lane: usize,
    ) -> Result<(), String> {
        let number = self.row(path.row_base, barrier.number)[lane] as u32;
        let expected = (barrier.threads != NONE)
            .then(|| self.row(path.row_base, barrier.threads)[lane] as u32);
        if let Some(count) = expected
            && (count == 0 || count % WARP as u32 != 0)
        {
            return Err(format!("a barrier of {count} threads"));
        }
        let state = common.barriers.get_mut(number as usize);
        let state = state.ok_or_else(|| format!("barrier {number}: a block has {BARRIERS}"))?;
        if state.arrived > 0 && state.expected != expected {
            return Err(format!("barrier {number} with two counts of threads"));
        }
        let predicate = barrier.predicate != NONE && {
            let bits = self.predicates[(path.predicate_base + barrier.predicate) as usize];
            (bits >> lane & 1 == 1) != barrier.negated
        };
        state.expected = expected;
        state.arrived += 1;
        state.holding += u32::from(predicate);
        self.waits_for[lane] = number;
        Ok(())
    }
}

impl Block {
    /// Opens the barriers at which all have arrived; says whether there was one.
    pub fn complete_barriers(&mut self, worker: &mut Worker) -> Result<bool, Box<Fault>> {
        let mut any = false;
        self.common.arrivals = false;
        for number in 0..BARRIERS {
            let state = self.common.barriers[number];
            if state.is_complete(self.common.live) {
                self.open_barrier(worker, number, state)?;
                any = true;
            }
        }
        Ok(any)
    }

    fn open_barrier(
        &mut self,
        worker: &mut Worker,
        number: usize,
        state: BarrierState,
    ) -> Result<(), Box<Fault>> {
        let mut joined = Vec::new();
        for warp in &mut self.warps {
            let here = lanes(warp.blocked)
                .filter(|&lane| warp.waits_for[lane] as usize == number)
                .fold(0, |mask, lane| mask | 1 << lane);
            if here == 0 {
                continue;
            }
            let at = warp.number as usize;
            warp.check_together(worker, here).map_err(|(pc, trouble)| {
                fault(worker.grid, self.common.place.number, at, pc, *trouble)
            })?;
            warp.leave_barrier(worker, here, state);
            joined.push((warp.number, here));
        }
        worker.barriers += 1;
        self.common.barriers[number] = BarrierState::default();
        if let Some(races) = &mut self.common.races {
            races.barrier(number, &joined, state.expected.is_none());
        }
        Ok(())
    }
}

impl Warp {
    /// An aligned barrier wants the whole warp at one place.
    fn check_together(&self, worker: &Worker, here: u32) -> Result<(), (u32, Stop)> {
        let first = here.trailing_zeros() as usize % WARP;
        for lane in lanes(here) {
            let pc = self.pcs[lane];
            let instruction = worker.grid.code.instructions.get(pc as usize).map(|i| &i.action);
            let aligned = matches!(instruction, Some(Action::Barrier(barrier)) if barrier.aligned);
            if aligned && (here != self.lanes || pc != self.pcs[first]) {
                let arrived = lanes(here)
                    .filter(|&other| self.pcs[other] == pc)
                    .fold(0, |mask, l| mask | 1 << l);
                let kind = FaultKind::DivergentBarrier { arrived, expected: self.lanes };
                return Err((pc, Box::new(Trouble { lane: lane as u32, kind })));
            }
        }
        Ok(())
    }

    fn leave_barrier(&mut self, worker: &Worker, here: u32, state: BarrierState) {
        for lane in lanes(here) {
            let path = self.path(lane);
            let instruction = worker.grid.code.instructions.get(self.pcs[lane] as usize);
            if let Some(Action::Barrier(barrier)) = instruction.map(|i| &i.action) {
                let all = if state.holding == state.arrived { u32::MAX } else { 0 };
                let some = if state.holding > 0 { u32::MAX } else { 0 };
                match barrier.kind {
                    BarrierKind::Count => {
                        self.write(
                            barrier.to,
                            path.row_base,
                            1 << lane,
                            &[state.holding.into(); WARP],
                        );
                    }
                    BarrierKind::And => {
                        self.write_predicate(barrier.to, path.predicate_base, 1 << lane, all)
                    }
                    BarrierKind::Or => {
                        self.write_predicate(barrier.to, path.predicate_base, 1 << lane, some)
                    }
                    BarrierKind::Sync | BarrierKind::Arrive => {}
                }
            }
            self.pcs[lane] += 1;
        }
        self.blocked &= !here;
    }
}
