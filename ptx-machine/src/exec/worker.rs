//! What one thread of the host counts while it runs blocks.

use super::grid::Grid;
use crate::random::Random;
use crate::report::Traffic;

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
    pub fn new(grid: &'a Grid<'a>, number: u64) -> Self {
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
}
