//! A block: its warps, its shared memory, and whose turn it is.

use super::common::{Common, fault};
use super::grid::Grid;
use super::shared::SharedMemory;
use super::trouble::{Trouble, lanes};
use super::warp::{BlockPlace, Warp};
use super::worker::Worker;
use crate::code::WARP;
use crate::fault::{Fault, FaultKind};
use crate::race::BlockRaces;

pub(super) enum Turn {
    Done,
    More,
}

pub(super) struct Block {
    pub warps: Vec<Warp>,
    pub common: Common,
}

impl Block {
    pub fn new(grid: &Grid, place: BlockPlace) -> Self {
        let threads = grid.threads();
        let number = u32::try_from(place.number).unwrap_or(u32::MAX);
        let common = Common {
            place,
            shared: SharedMemory::new(grid.shared.bytes),
            barriers: Default::default(),
            arrivals: false,
            live: threads,
            races: grid.races.as_ref().map(|_| BlockRaces::new(number, threads, grid.shared.bytes)),
        };
        let warps = (0..threads.div_ceil(WARP as u32))
            .map(|number| Warp::new(grid, place, number))
            .collect();
        Self { warps, common }
    }

    /// Runs for about so many instructions of warps.
    pub fn run(&mut self, worker: &mut Worker, mut turn: u64) -> Result<Turn, Box<Fault>> {
        loop {
            let Some(chosen) = self.choose(worker) else {
                if self.common.live == 0 {
                    return Ok(Turn::Done);
                }
                if !self.complete_barriers(worker)? {
                    return Err(self.deadlock(worker.grid));
                }
                continue;
            };
            let share =
                if worker.grid.seed == 0 { turn } else { turn.min(1 + worker.random.below(256)) };
            let warp = &mut self.warps[chosen];
            let before = worker.warp_instructions;
            warp.run(worker, &mut self.common, share).map_err(|(pc, trouble)| {
                fault(worker.grid, self.common.place.number, chosen, pc, *trouble)
            })?;
            if self.common.arrivals {
                self.complete_barriers(worker)?;
            }
            turn = turn.saturating_sub(worker.warp_instructions - before);
            if turn == 0 {
                return Ok(Turn::More);
            }
        }
    }

    /// A warp that can run: the first one, or one by lot.
    fn choose(&self, worker: &mut Worker) -> Option<usize> {
        let ready = |warp: &&Warp| warp.runnable() != 0;
        if worker.grid.seed == 0 {
            return self.warps.iter().position(|warp| ready(&warp));
        }
        let count = self.warps.iter().filter(ready).count();
        if count == 0 {
            return None;
        }
        let chosen = worker.random.below(count as u64) as usize;
        self.warps
            .iter()
            .enumerate()
            .filter(|(_, warp)| ready(warp))
            .nth(chosen)
            .map(|(number, _)| number)
    }

    pub fn over_budget(&self, grid: &Grid) -> Box<Fault> {
        let warp = self.warps.iter().position(|warp| warp.live != 0).unwrap_or(0);
        let lane = self.warps[warp].live.trailing_zeros() % WARP as u32;
        let pc = self.warps[warp].pcs[lane as usize];
        let kind = FaultKind::Budget { limit: grid.budget };
        fault(grid, self.common.place.number, warp, pc, Trouble { lane, kind })
    }

    fn deadlock(&self, grid: &Grid) -> Box<Fault> {
        let mut waiting = Vec::new();
        let mut first = None;
        for (number, warp) in self.warps.iter().enumerate() {
            let mut rest = warp.live;
            while rest != 0 {
                let lane = rest.trailing_zeros() as usize;
                let pc = warp.pcs[lane];
                let same = lanes(rest)
                    .filter(|&other| warp.pcs[other] == pc)
                    .fold(0, |mask, l| mask | 1 << l);
                rest &= !same;
                first.get_or_insert((number, pc, lane as u32));
                let text = grid.module.instruction_text(pc);
                let line = grid.module.line(pc);
                waiting
                    .push(format!("warp {number} lanes {same:#010x} wait at line {line} `{text}`"));
            }
        }
        let (warp, pc, lane) = first.unwrap_or((0, grid.kernel.start, 0));
        fault(
            grid,
            self.common.place.number,
            warp,
            pc,
            Trouble { lane, kind: FaultKind::Deadlock { waiting } },
        )
    }
}
