//! Loads and stores of a warp.

use super::common::Common;
use super::place::{Ask, Region, generic};
use super::shared;
use super::trouble::{Stop, lanes, stop};
use super::warp::Warp;
use super::worker::Worker;
use crate::code::{
    Access, LOCAL_WINDOW, NONE, PARAM_WINDOW, Row, SHARED_WINDOW, WARP, WINDOW_MASK,
};
use crate::fault::{AccessKind, FaultKind};
use crate::race::{Ground, Touch};

/// Lanes of one request that go to one region.
struct Part {
    region: Region,
    mask: u32,
}

impl Warp {
    pub fn load(
        &mut self,
        worker: &mut Worker,
        common: &mut Common,
        access: &Access,
        base: u32,
        active: u32,
    ) -> Result<(), Stop> {
        let addresses = self.addresses(worker, access, base, active, AccessKind::Read)?;
        let mut rest = active;
        while rest != 0 {
            let part = self.part(worker, common, access, &addresses, rest, AccessKind::Read)?;
            self.check(worker, common, access, &addresses, &part, AccessKind::Read)?;
            for (index, &row) in (0..).zip(&access.rows[..access.count as usize]) {
                if row != NONE {
                    let step = u64::from(index * access.size);
                    let out = self.loaded(worker, common, access, &addresses, &part, step);
                    self.write(row, base, part.mask, &out);
                }
            }
            self.order(worker, common, access, &addresses, &part, AccessKind::Read);
            rest &= !part.mask;
        }
        Ok(())
    }

    fn loaded(
        &self,
        worker: &Worker,
        common: &Common,
        access: &Access,
        addresses: &Row,
        part: &Part,
        step: u64,
    ) -> Row {
        let mut out = [0; WARP];
        let size = access.size;
        for lane in lanes(part.mask) {
            let address = addresses[lane] + step;
            let offset = (address & !WINDOW_MASK) as usize;
            let value = match part.region {
                Region::Buffer(number) => {
                    let buffer = &worker.grid.memory.buffers[number];
                    // Two halves of a strong value must not be torn by an atomic on another thread.
                    let _whole =
                        (access.order.strong && size == 8).then(|| worker.grid.lock(address));
                    buffer.load(address, size)
                }
                Region::Shared => common.shared.load(offset as u64, size),
                Region::Local => shared::read(&self.local[lane][offset..], size),
                Region::Param => shared::read(&worker.grid.params[offset..], size),
            };
            let shift = access.sign_shift;
            let extended = if shift == 0 {
                value
            } else {
                ((value << shift).cast_signed() >> shift).cast_unsigned()
            };
            out[lane] = extended & access.mask;
        }
        out
    }

    pub fn store(
        &mut self,
        worker: &mut Worker,
        common: &mut Common,
        access: &Access,
        base: u32,
        active: u32,
    ) -> Result<(), Stop> {
        let addresses = self.addresses(worker, access, base, active, AccessKind::Write)?;
        let mut rest = active;
        while rest != 0 {
            let part = self.part(worker, common, access, &addresses, rest, AccessKind::Write)?;
            self.check(worker, common, access, &addresses, &part, AccessKind::Write)?;
            self.order(worker, common, access, &addresses, &part, AccessKind::Write);
            for (index, &row) in (0..).zip(&access.rows[..access.count as usize]) {
                let values = *self.row(base, row);
                let step = u64::from(index * access.size);
                self.stored(worker, common, access, &addresses, &part, step, &values);
            }
            rest &= !part.mask;
        }
        Ok(())
    }

    fn stored(
        &mut self,
        worker: &Worker,
        common: &mut Common,
        access: &Access,
        addresses: &Row,
        part: &Part,
        step: u64,
        values: &Row,
    ) {
        let size = access.size;
        for lane in lanes(part.mask) {
            let (address, value) = (addresses[lane] + step, values[lane]);
            let offset = (address & !WINDOW_MASK) as usize;
            match part.region {
                Region::Buffer(number) => {
                    let buffer = &worker.grid.memory.buffers[number];
                    let _whole = access.order.strong.then(|| worker.grid.lock(address));
                    buffer.store(address, size, value);
                    buffer.set_valid(address, size);
                }
                Region::Shared => common.shared.store(offset as u64, size, value),
                Region::Local => shared::write(&mut self.local[lane][offset..], size, value),
                Region::Param => {}
            }
        }
    }

    /// Generic addresses of the active lanes.
    fn addresses(
        &self,
        worker: &Worker,
        access: &Access,
        base: u32,
        active: u32,
        kind: AccessKind,
    ) -> Result<Row, Stop> {
        let size = access.size * access.count;
        let row = self.row(base, access.address);
        let mut out = [0; WARP];
        for lane in lanes(active) {
            let address = row[lane].wrapping_add_signed(access.offset);
            let ask = Ask { lane, address, size, access: kind };
            out[lane] = generic(access.space, address).ok_or_else(|| worker.grid.outside(ask))?;
        }
        Ok(out)
    }

    /// The lanes that go where the first one goes, within bounds and aligned. The others come later, each as
    /// the first one, whose faults are told.
    fn part(
        &self,
        worker: &mut Worker,
        common: &Common,
        access: &Access,
        addresses: &Row,
        rest: u32,
        kind: AccessKind,
    ) -> Result<Part, Stop> {
        let size = access.size * access.count;
        let first = rest.trailing_zeros() as usize % WARP;
        let ask = Ask { lane: first, address: addresses[first], size, access: kind };
        let local = self.local[first].len() as u64;
        let region = worker.grid.region(ask, worker.last_buffer, common.shared.length(), local)?;
        let (start, length) = match region {
            Region::Buffer(number) => {
                worker.last_buffer = number;
                let buffer = &worker.grid.memory.buffers[number];
                (buffer.address, buffer.length)
            }
            Region::Shared => (SHARED_WINDOW, common.shared.length()),
            Region::Local => (LOCAL_WINDOW, local),
            Region::Param => (PARAM_WINDOW, worker.grid.params.len() as u64),
        };
        let (size, mut mask) = (u64::from(size), 1 << first);
        for lane in lanes(rest) {
            let offset = addresses[lane].wrapping_sub(start);
            let end = if region == Region::Local { self.local[lane].len() as u64 } else { length };
            let fits = offset < end && size <= end - offset && addresses[lane] & (size - 1) == 0;
            mask |= u32::from(fits) << lane;
        }
        Ok(Part { region, mask })
    }

    /// Protection, validity, races, counts.
    fn check(
        &self,
        worker: &mut Worker,
        common: &mut Common,
        access: &Access,
        addresses: &Row,
        part: &Part,
        kind: AccessKind,
    ) -> Result<(), Stop> {
        let size = access.size * access.count;
        match part.region {
            Region::Buffer(number) => {
                worker.count_global(number, addresses, part.mask, size, kind);
                self.check_buffer(worker, access, addresses, part, number, kind)?;
                self.check_races(worker, common, access, addresses, part, kind, Some(number))
            }
            Region::Shared => {
                worker.count_shared(addresses, part.mask, size);
                if kind == AccessKind::Read {
                    check_shared_validity(worker, common, addresses, part.mask, size)?;
                }
                self.check_races(worker, common, access, addresses, part, kind, None)
            }
            Region::Param if kind == AccessKind::Write => {
                let lane = part.mask.trailing_zeros();
                let place = worker.grid.place(addresses[lane as usize % WARP]);
                Err(stop(lane, FaultKind::Protected { place, size }))
            }
            _ => Ok(()),
        }
    }

    fn check_buffer(
        &self,
        worker: &Worker,
        access: &Access,
        addresses: &Row,
        part: &Part,
        number: usize,
        kind: AccessKind,
    ) -> Result<(), Stop> {
        let buffer = &worker.grid.memory.buffers[number];
        let size = access.size * access.count;
        if kind == AccessKind::Write && (!buffer.writable || buffer.has_guards()) {
            for lane in lanes(part.mask) {
                if !buffer.writable || buffer.guarded(addresses[lane], size.into()) {
                    let place = worker.grid.place(addresses[lane]);
                    return Err(stop(lane as u32, FaultKind::Protected { place, size }));
                }
            }
        }
        if kind == AccessKind::Read && buffer.is_tracked() {
            for lane in lanes(part.mask) {
                let mut elements =
                    (0..access.count).map(|n| addresses[lane] + u64::from(n * access.size));
                if elements.any(|address| !buffer.is_valid(address, access.size)) {
                    let place = worker.grid.place(addresses[lane]);
                    return Err(stop(lane as u32, FaultKind::Uninitialised { place, size }));
                }
            }
        }
        Ok(())
    }

    fn check_races(
        &self,
        worker: &Worker,
        common: &mut Common,
        access: &Access,
        addresses: &Row,
        part: &Part,
        kind: AccessKind,
        buffer: Option<usize>,
    ) -> Result<(), Stop> {
        let (Some(races), Some(global)) = (&mut common.races, &worker.grid.races) else {
            return Ok(());
        };
        let ground = buffer.map_or(Ground::Shared, |number| Ground::Global(global, number));
        let touches = lanes(part.mask).map(|lane| self.touch(access, addresses, lane, kind));
        races.touch(&ground, touches).map_err(|race| worker.grid.race(race.0, race.1))
    }

    fn touch(&self, access: &Access, addresses: &Row, lane: usize, kind: AccessKind) -> Touch {
        let size = access.size * access.count;
        let (address, strong) = (addresses[lane], access.order.strong);
        Touch { warp: self.number, lane, address, size, kind, strong, pc: self.here }
    }

    /// A strong access takes in or passes on what was released: after the value is read, before it is written.
    fn order(
        &self,
        worker: &Worker,
        common: &mut Common,
        access: &Access,
        addresses: &Row,
        part: &Part,
        kind: AccessKind,
    ) {
        let (Some(races), Some(global)) = (&mut common.races, &worker.grid.races) else { return };
        let in_global = matches!(part.region, Region::Buffer(_));
        if !access.order.strong || !(in_global || part.region == Region::Shared) {
            return;
        }
        for lane in lanes(part.mask) {
            let touch = self.touch(access, addresses, lane, kind);
            races.order(global, in_global, touch, access.order);
        }
    }
}

pub(super) fn check_shared_validity(
    worker: &Worker,
    common: &Common,
    addresses: &Row,
    mask: u32,
    size: u32,
) -> Result<(), Stop> {
    for lane in lanes(mask) {
        if !common.shared.is_valid(addresses[lane] & !WINDOW_MASK, size.into()) {
            let place = worker.grid.place(addresses[lane]);
            return Err(stop(lane as u32, FaultKind::Uninitialised { place, size }));
        }
    }
    Ok(())
}
