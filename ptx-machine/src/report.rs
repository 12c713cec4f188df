//! What a launch did, in numbers.

use std::collections::BTreeMap;

/// Counts of one launch. A request is one memory instruction of one warp, whatever the number of its lanes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Instructions as written (`fma.rn.f32`, `ld.global.v4.b32`), each lane counted that executed one.
    pub instructions: BTreeMap<String, u64>,
    /// The sum of them.
    pub lane_instructions: u64,
    /// Instructions of warps: what is issued.
    pub warp_instructions: u64,
    /// Traffic of global memory.
    pub global: Traffic,
    /// Traffic of each buffer that was touched, by its name.
    pub buffers: BTreeMap<String, Traffic>,
    /// Requests to shared memory.
    pub shared_requests: u64,
    /// Cycles that shared requests take beyond the least for their bytes: two words of one bank in one cycle.
    pub bank_conflicts: u64,
    /// Barriers of blocks, counted once a block and time.
    pub barriers: u64,
}

/// Traffic of global memory, in 32-byte sectors: distinct ones in a request, summed over requests. There is
/// no cache in this count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Sectors that loads touched.
    pub sectors_read: u64,
    /// Sectors that stores touched.
    pub sectors_written: u64,
    /// Sectors that atomics touched.
    pub sectors_atomic: u64,
    /// Requests.
    pub requests: u64,
    /// Requests that touched no more sectors than their distinct bytes fill.
    pub coalesced: u64,
}

impl Traffic {
    /// The share of requests that were fully coalesced; 1 where there was none.
    #[must_use]
    pub fn coalesced_share(&self) -> f64 {
        if self.requests == 0 { 1.0 } else { self.coalesced as f64 / self.requests as f64 }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.sectors_read += other.sectors_read;
        self.sectors_written += other.sectors_written;
        self.sectors_atomic += other.sectors_atomic;
        self.requests += other.requests;
        self.coalesced += other.coalesced;
    }
}
