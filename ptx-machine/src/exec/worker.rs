//! What one thread of the host counts while it runs blocks.

use super::grid::Grid;
use crate::random::Random;
use crate::report::{Report, Traffic};

/// What one thread counts.
pub(crate) struct Worker<'a> {
    pub grid: &'a Grid<'a>,
    pub random: Random,
    /// Lane-instructions at each place of the code.
    pub counts: Vec<u64>,
    pub warp_instructions: u64,
    pub traffic: Vec<Traffic>,
    /// The buffer that was touched last: the next access is likely to hit it.
    pub last_buffer: usize,
    pub shared_requests: u64,
    pub bank_conflicts: u64,
    pub barriers: u64,
    /// Lane-instructions since the budget was looked at.
    pub unsettled: u64,
}

impl<'a> Worker<'a> {
    pub(super) fn new(grid: &'a Grid<'a>, number: u64) -> Self {
        Self {
            grid,
            random: Random::new(grid.seed ^ number << 48),
            counts: vec![0; grid.code.instructions.len()],
            warp_instructions: 0,
            traffic: vec![Traffic::default(); grid.memory.buffers.len()],
            last_buffer: 0,
            shared_requests: 0,
            bank_conflicts: 0,
            barriers: 0,
            unsettled: 0,
        }
    }

    pub(super) fn report(self) -> Report {
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
