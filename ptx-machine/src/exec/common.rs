//! What the warps of a block share, and where a trouble of theirs is said to have happened.

use super::grid::Grid;
use super::shared::SharedMemory;
use super::trouble::Trouble;
use super::warp::BlockPlace;
use crate::fault::Fault;
use crate::race::BlockRaces;

/// Barriers that a block has.
pub(super) const BARRIERS: usize = 16;

/// Who arrived at one of the sixteen barriers.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct BarrierState {
    pub arrived: u32,
    /// Those of them whose predicate held.
    pub holding: u32,
    /// Threads it waits for; None for all.
    pub expected: Option<u32>,
}

impl BarrierState {
    pub fn is_complete(&self, live: u32) -> bool {
        self.arrived > 0 && self.arrived >= self.expected.unwrap_or(live)
    }
}

/// What the warps of a block share.
pub(super) struct Common {
    pub place: BlockPlace,
    pub shared: SharedMemory,
    pub barriers: [BarrierState; BARRIERS],
    /// Somebody arrived at a barrier or left the block since the barriers were looked at.
    pub arrivals: bool,
    /// Threads that have not exited.
    pub live: u32,
    pub races: Option<BlockRaces>,
}

/// Says where a trouble happened.
pub(super) fn fault(grid: &Grid, block: u64, warp: usize, pc: u32, trouble: Trouble) -> Box<Fault> {
    Box::new(Fault {
        kernel: grid.kernel.name.clone(),
        line: grid.module.line(pc),
        instruction: grid.module.instruction_text(pc),
        block,
        warp: u32::try_from(warp).unwrap_or(u32::MAX),
        lane: trouble.lane,
        kind: trouble.kind,
    })
}
