//! The threads of the host: each runs some blocks of the grid at a time, in turns.

use super::block::{Block, Turn};
use super::grid::Grid;
use super::warp::BlockPlace;
use super::worker::Worker;
use crate::code::WARP;
use crate::fault::Fault;
use crate::random::Random;
use crate::report::Report;
use std::panic::resume_unwind;
use std::sync::atomic::Ordering;
use std::thread::ScopedJoinHandle;

/// Instructions of a turn where the schedule is the plain one.
const LONG_TURN: u64 = 1 << 14;

/// Runs all blocks on so many threads.
pub(crate) fn run(grid: &Grid, threads: usize) -> Result<Report, Box<Fault>> {
    let results: Vec<Result<Report, Box<Fault>>> = if threads <= 1 {
        vec![Worker::new(grid, 0).blocks()]
    } else {
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads as u64)
                .map(|number| scope.spawn(move || Worker::new(grid, number).blocks()))
                .collect();
            // A panic would be a fault of the machine itself: it must not look like one of the kernel.
            let join = |handle: ScopedJoinHandle<'_, _>| {
                handle.join().unwrap_or_else(|panic| resume_unwind(panic))
            };
            handles.into_iter().map(join).collect()
        })
    };
    let mut total = Report::default();
    let mut faults = Vec::new();
    for result in results {
        match result {
            Ok(report) => add(&mut total, report),
            Err(fault) => faults.push(fault),
        }
    }
    match faults.into_iter().min_by_key(|fault| fault.block) {
        Some(fault) => Err(fault),
        None => Ok(total),
    }
}

fn add(total: &mut Report, part: Report) {
    for (name, count) in part.instructions {
        *total.instructions.entry(name).or_default() += count;
    }
    for (name, traffic) in part.buffers {
        total.buffers.entry(name).or_default().add(&traffic);
    }
    total.global.add(&part.global);
    total.lane_instructions += part.lane_instructions;
    total.warp_instructions += part.warp_instructions;
    total.shared_requests += part.shared_requests;
    total.bank_conflicts += part.bank_conflicts;
    total.barriers += part.barriers;
}

impl Worker<'_> {
    fn blocks(mut self) -> Result<Report, Box<Fault>> {
        let mut resident: Vec<Block> = Vec::new();
        let room = self.room();
        loop {
            while resident.len() < room
                && let Some(place) = self.take_block()
            {
                resident.push(Block::new(self.grid, place));
            }
            if resident.is_empty() {
                return Ok(self.report());
            }
            if self.grid.stop.load(Ordering::Relaxed) {
                return Ok(Report::default());
            }
            let chosen = self.random.below(resident.len() as u64) as usize;
            let turn = self.turn_length();
            let block = &mut resident[chosen];
            match block.run(&mut self, turn) {
                Ok(Turn::Done) => drop(resident.swap_remove(chosen)),
                Ok(Turn::More) => {}
                Err(fault) => return self.fail(fault),
            }
            if let Some(fault) = self.settle(resident.get(chosen)) {
                return self.fail(fault);
            }
        }
    }

    fn fail(&self, fault: Box<Fault>) -> Result<Report, Box<Fault>> {
        self.grid.stop.store(true, Ordering::Relaxed);
        Err(fault)
    }

    /// Blocks that take turns. The plain schedule runs them one by one, where nothing else is asked for.
    fn room(&mut self) -> usize {
        match (self.grid.resident, self.grid.seed) {
            (0, 0) => 1,
            (0, _) => 1 + self.random.below(6) as usize,
            (count, _) => count,
        }
    }

    /// Length of a turn in instructions of warps, never far beyond the budget.
    fn turn_length(&mut self) -> u64 {
        let length = if self.grid.seed == 0 { LONG_TURN } else { 1 << self.random.below(13) };
        let left = self.grid.budget.saturating_sub(self.grid.spent.load(Ordering::Relaxed));
        length.min(left / WARP as u64 + 1)
    }

    /// Adds this turn to what the launch spent. A fault where that is too much.
    fn settle(&mut self, block: Option<&Block>) -> Option<Box<Fault>> {
        let spent = self.grid.spent.fetch_add(self.unsettled, Ordering::Relaxed) + self.unsettled;
        self.unsettled = 0;
        if spent <= self.grid.budget {
            return None;
        }
        block.map(|block| block.over_budget(self.grid))
    }

    /// The next block, in an order drawn from the seed: first block and stride, the stride prime to the count.
    fn take_block(&self) -> Option<BlockPlace> {
        let total = self.grid.blocks();
        let index = self.grid.next_block.fetch_add(1, Ordering::Relaxed);
        if index >= total {
            return None;
        }
        let number =
            if self.grid.seed == 0 { index } else { scattered(index, total, self.grid.seed) };
        let [x, y, _] = self.grid.grid.map(u64::from);
        let at =
            [number % x, number / x % y, number / x / y].map(|n| u32::try_from(n).unwrap_or(0));
        Some(BlockPlace { number, at })
    }

    fn report(self) -> Report {
        let mut report = Report {
            warp_instructions: self.warp_instructions,
            shared_requests: self.shared_requests,
            bank_conflicts: self.bank_conflicts,
            barriers: self.barriers,
            ..Report::default()
        };
        for (count, note) in
            self.counts.iter().zip(&self.grid.code.notes).filter(|(count, _)| **count > 0)
        {
            let name = &self.grid.code.mnemonics[note.mnemonic as usize];
            *report.instructions.entry(name.clone()).or_default() += count;
            report.lane_instructions += count;
        }
        for (traffic, buffer) in
            self.traffic.iter().zip(&self.grid.memory.buffers).filter(|(t, _)| t.requests > 0)
        {
            report.buffers.entry(buffer.name.clone()).or_default().add(traffic);
            report.global.add(traffic);
        }
        report
    }
}

fn scattered(index: u64, total: u64, seed: u64) -> u64 {
    let mut random = Random::new(seed);
    let start = random.below(total);
    let mut stride = 1 + random.below(total);
    while greatest_common_divisor(stride, total) != 1 {
        stride += 1;
    }
    let at = u128::from(index) * u128::from(stride) + u128::from(start);
    (at % u128::from(total)) as u64
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
