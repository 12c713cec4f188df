//! Atomics: lane after lane, in an order drawn from the seed.

use super::common::Common;
use super::place::{Ask, Region, generic};
use super::trouble::{Stop, stop};
use super::warp::Warp;
use super::worker::Worker;
use crate::code::{Atomic, WARP, WINDOW_MASK};
use crate::fault::{AccessKind, FaultKind};
use crate::race::{Ground, Touch};
use crate::rows::flush_subnormal;

impl Warp {
    pub fn atomic(
        &mut self,
        worker: &mut Worker,
        common: &mut Common,
        atomic: &Atomic,
        base: u32,
        active: u32,
    ) -> Result<(), Stop> {
        let row = *self.row(base, atomic.address);
        let (b, c) = (*self.row(base, atomic.b), *self.row(base, atomic.c));
        let (mut addresses, mut out) = ([0; WARP], [0; WARP]);
        let (mut to_shared, mut to_buffers) = (0_u32, Vec::new());
        let (start, stride) = self.lane_order(worker);
        let order = (0..WARP).map(|n| (start + n * stride) % WARP);
        for lane in order.filter(|lane| active >> lane & 1 == 1) {
            let address = row[lane].wrapping_add_signed(atomic.offset);
            let ask = Ask { lane, address, size: atomic.size, access: AccessKind::Atomic };
            let address = generic(atomic.space, address).ok_or_else(|| worker.grid.outside(ask))?;
            addresses[lane] = address;
            let ask = Ask { address, ..ask };
            let buffer = target(worker, common, ask)?;
            match buffer {
                Some(number) => add_lane(&mut to_buffers, number, lane),
                None => to_shared |= 1 << lane,
            }
            // Knowledge and value change together, for other threads of the host.
            let _whole = buffer.map(|_| worker.grid.lock(address));
            self.check_atomic(worker, common, atomic, ask, buffer)?;
            out[lane] = update(worker, common, atomic, ask, buffer, (b[lane], c[lane]));
        }
        self.write(atomic.to, base, active, &out);
        for (number, mask) in to_buffers {
            worker.count_global(number, &addresses, mask, atomic.size, AccessKind::Atomic);
        }
        if to_shared != 0 {
            worker.count_shared(&addresses, to_shared, atomic.size);
        }
        Ok(())
    }

    fn lane_order(&self, worker: &mut Worker) -> (usize, usize) {
        if worker.grid.seed == 0 {
            return (0, 1);
        }
        let draw = worker.random.below(WARP as u64 * WARP as u64) as usize;
        (draw % WARP, (draw / WARP) | 1)
    }

    fn check_atomic(
        &self,
        worker: &Worker,
        common: &mut Common,
        atomic: &Atomic,
        ask: Ask,
        buffer: Option<usize>,
    ) -> Result<(), Stop> {
        let Ask { lane, address, size, .. } = ask;
        let place = || worker.grid.place(address);
        let valid = match buffer {
            Some(number) => {
                let buffer = &worker.grid.memory.buffers[number];
                if !buffer.writable || buffer.guarded(address, size.into()) {
                    return Err(stop(lane as u32, FaultKind::Protected { place: place(), size }));
                }
                buffer.is_valid(address, size)
            }
            None => common.shared.is_valid(address & !WINDOW_MASK, size.into()),
        };
        if !valid {
            return Err(stop(lane as u32, FaultKind::Uninitialised { place: place(), size }));
        }
        let (Some(races), Some(global)) = (&mut common.races, &worker.grid.races) else {
            return Ok(());
        };
        let kind = AccessKind::Atomic;
        let touch =
            Touch { warp: self.number, lane, address, size, kind, strong: true, pc: self.here };
        let ground = buffer.map_or(Ground::Shared, |number| Ground::Global(global, number));
        races
            .touch(&ground, std::iter::once(touch))
            .map_err(|race| worker.grid.race(race.0, race.1))?;
        races.order(global, buffer.is_some(), touch, atomic.order);
        Ok(())
    }
}

/// The buffer, or None for shared memory.
fn target(worker: &mut Worker, common: &Common, ask: Ask) -> Result<Option<usize>, Stop> {
    match worker.grid.region(ask, worker.last_buffer, common.shared.length(), 0)? {
        Region::Buffer(number) => {
            worker.last_buffer = number;
            Ok(Some(number))
        }
        Region::Shared => Ok(None),
        _ => Err(worker.grid.outside(ask)),
    }
}

fn add_lane(masks: &mut Vec<(usize, u32)>, number: usize, lane: usize) {
    match masks.iter_mut().find(|(known, _)| *known == number) {
        Some((_, mask)) => *mask |= 1 << lane,
        None => masks.push((number, 1 << lane)),
    }
}

/// Gives the old value.
fn update(
    worker: &Worker,
    common: &mut Common,
    atomic: &Atomic,
    ask: Ask,
    buffer: Option<usize>,
    sources: (u64, u64),
) -> u64 {
    let Ask { address, size, .. } = ask;
    let Some(number) = buffer else {
        let offset = address & !WINDOW_MASK;
        let old = common.shared.load(offset, size);
        common.shared.store(offset, size, (atomic.update)(old, sources.0, sources.1));
        return old;
    };
    let buffer = &worker.grid.memory.buffers[number];
    let old = buffer.load(address, size);
    let flush = |bits| if atomic.flush { flush_subnormal(bits) } else { bits };
    let new = (atomic.update)(flush(old), flush(sources.0), sources.1);
    buffer.store(address, size, flush(new));
    old
}
