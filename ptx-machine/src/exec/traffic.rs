//! Counts of one request: sectors of global memory, banks of shared memory.

use super::trouble::lanes;
use super::worker::Worker;
use crate::code::{Row, WARP};
use crate::fault::AccessKind;

/// Bytes of a sector: what global memory moves at least.
const SECTOR: u64 = 32;
/// Banks of shared memory, four bytes wide.
const BANKS: usize = 32;

impl Worker<'_> {
    /// Counts a request of `size` bytes a lane, aligned to its size, to one buffer.
    pub fn count_global(
        &mut self,
        buffer: usize,
        addresses: &Row,
        mask: u32,
        size: u32,
        access: AccessKind,
    ) {
        let (sectors, bytes) = sectors(addresses, mask, size.into());
        let traffic = &mut self.traffic[buffer];
        traffic.requests += 1;
        traffic.coalesced += u64::from(sectors == bytes.div_ceil(SECTOR));
        match access {
            AccessKind::Read => traffic.sectors_read += sectors,
            AccessKind::Write => traffic.sectors_written += sectors,
            AccessKind::Atomic => traffic.sectors_atomic += sectors,
        }
    }

    /// Counts a request to shared memory. 8 bytes a lane are served by half warps, 16 by quarters.
    pub fn count_shared(&mut self, addresses: &Row, mask: u32, size: u32) {
        self.shared_requests += 1;
        let part = (WARP as u32 * 4 / size.max(4)) as usize;
        for first in (0..WARP).step_by(part) {
            let members = if part == WARP { mask } else { mask >> first & ((1 << part) - 1) };
            let mut words: Vec<u64> = lanes(members)
                .flat_map(|lane| {
                    let word = addresses[first + lane] / 4;
                    (0..u64::from(size.div_ceil(4))).map(move |step| word + step)
                })
                .collect();
            words.sort_unstable();
            words.dedup();
            let mut load = [0_u64; BANKS];
            words.iter().for_each(|word| load[*word as usize % BANKS] += 1);
            let cycles = load.into_iter().max().unwrap_or(0);
            self.bank_conflicts +=
                cycles.saturating_sub((words.len() as u64).div_ceil(BANKS as u64));
        }
    }
}

/// Distinct sectors and distinct bytes.
fn sectors(addresses: &Row, mask: u32, size: u64) -> (u64, u64) {
    let mut in_row = lanes(mask);
    let Some(first) = in_row.next().map(|lane| addresses[lane]) else { return (0, 0) };
    let mut next = first + size;
    let mut contiguous = true;
    for lane in in_row {
        contiguous &= addresses[lane] == next;
        next = addresses[lane].wrapping_add(size);
    }
    if contiguous {
        return ((next - 1) / SECTOR - first / SECTOR + 1, next - first);
    }
    let mut sorted: Vec<u64> = lanes(mask).map(|lane| addresses[lane]).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let bytes = sorted.len() as u64 * size;
    sorted.iter_mut().for_each(|address| *address /= SECTOR);
    sorted.dedup();
    (sorted.len() as u64, bytes)
}

#[cfg(test)]
mod tests {
    use super::sectors;

    #[test]
    fn sectors_of_known_patterns() {
        let row = |step: u64, start: u64| std::array::from_fn(|lane| start + step * lane as u64);
        assert_eq!(sectors(&row(4, 256), u32::MAX, 4), (4, 128));
        assert_eq!(sectors(&row(4, 260), u32::MAX, 4), (5, 128));
        assert_eq!(sectors(&row(16, 256), u32::MAX, 16), (16, 512));
        assert_eq!(sectors(&row(32, 256), u32::MAX, 4), (32, 128));
        assert_eq!(sectors(&row(8, 256), u32::MAX, 4), (8, 128));
        assert_eq!(sectors(&row(0, 256), u32::MAX, 4), (1, 4));
        assert_eq!(sectors(&row(4, 256), 0b1001, 4), (1, 8));
    }
}
