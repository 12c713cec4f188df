//! Addresses to places: which memory, which buffer, and the words for it in an error.

use super::grid::Grid;
use super::trouble::{Stop, stop};
use crate::code::{LOCAL_WINDOW, PARAM_WINDOW, SHARED_WINDOW, WINDOW_MASK};
use crate::fault::{AccessKind, FaultKind, Place, Rival};
use crate::race::{Conflict, Touch};
use crate::syntax::Space;

/// Further away than any slip of an index.
const NEAR: u64 = 1 << 32;

/// Where an address lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Region {
    /// A buffer, by number.
    Buffer(usize),
    Shared,
    Local,
    Param,
}

/// The generic address of an access in a state space; None where the address is none of that space.
pub(super) fn generic(space: Space, address: u64) -> Option<u64> {
    match space {
        Space::Generic | Space::Param => Some(address),
        Space::Global | Space::Const => (address & WINDOW_MASK == 0).then_some(address),
        Space::Shared => (address & WINDOW_MASK == 0).then_some(address | SHARED_WINDOW),
        Space::Local => (address & WINDOW_MASK == 0).then_some(address | LOCAL_WINDOW),
    }
}

/// What is asked of memory by one lane.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    pub lane: usize,
    pub address: u64,
    pub size: u32,
    pub access: AccessKind,
}

impl Grid<'_> {
    /// The region that holds the bytes, aligned; `local` is the length of the lane's local memory.
    pub(super) fn region(
        &self,
        ask: Ask,
        hint: usize,
        shared: u64,
        local: u64,
    ) -> Result<Region, Stop> {
        let Ask { address, size, .. } = ask;
        let offset = address & !WINDOW_MASK;
        let (region, length) = match address & WINDOW_MASK {
            0 => {
                let hinted = self
                    .memory
                    .buffers
                    .get(hint)
                    .is_some_and(|buffer| buffer.holds(address, size.into()));
                let found =
                    if hinted { Some(hint) } else { self.memory.holding(address, size.into()) };
                return match found {
                    Some(_) if address % u64::from(size) != 0 => Err(self.misaligned(ask)),
                    Some(number) => Ok(Region::Buffer(number)),
                    None => Err(self.outside(ask)),
                };
            }
            SHARED_WINDOW => (Region::Shared, shared),
            LOCAL_WINDOW => (Region::Local, local),
            PARAM_WINDOW => (Region::Param, self.params.len() as u64),
            _ => return Err(self.outside(ask)),
        };
        if offset.checked_add(size.into()).is_none_or(|end| end > length) {
            let (access, place) = (ask.access, self.place(address));
            return Err(stop(
                ask.lane as u32,
                FaultKind::OutOfBounds { access, place, size, length },
            ));
        }
        if !offset.is_multiple_of(u64::from(size)) { Err(self.misaligned(ask)) } else { Ok(region) }
    }

    fn misaligned(&self, ask: Ask) -> Stop {
        stop(
            ask.lane as u32,
            FaultKind::Misaligned { place: self.place(ask.address), size: ask.size },
        )
    }

    pub(super) fn outside(&self, ask: Ask) -> Stop {
        let buffer = self.meant(ask.address).map(|number| &self.memory.buffers[number]);
        let length = if ask.address & WINDOW_MASK == 0 {
            buffer.map_or(0, |buffer| buffer.length)
        } else {
            0
        };
        let (access, size, place) = (ask.access, ask.size, self.place(ask.address));
        stop(ask.lane as u32, FaultKind::OutOfBounds { access, place, size, length })
    }

    /// The buffer that an address in nobody's ground is most likely meant for; none where all are far away.
    fn meant(&self, address: u64) -> Option<usize> {
        let buffers = &self.memory.buffers;
        let before = self.memory.nearest(address);
        let after = before.map_or(0, |number| number + 1);
        let behind = before
            .map_or(u64::MAX, |n| (address - buffers[n].address).saturating_sub(buffers[n].length));
        let ahead = buffers.get(after).map_or(u64::MAX, |buffer| buffer.address - address);
        let (number, distance) =
            if ahead < behind { (Some(after), ahead) } else { (before, behind) };
        number.filter(|_| distance < NEAR)
    }

    pub fn race(&self, touch: Touch, conflict: Conflict) -> Stop {
        let rival = Rival {
            access: conflict.kind,
            line: self.module.line(conflict.pc),
            block: conflict.block.into(),
            thread: conflict.thread,
        };
        let place = self.place(touch.address);
        stop(touch.lane as u32, FaultKind::Race { place, access: touch.kind, rival })
    }

    /// An address as an error names it: by the nearest buffer before it.
    pub fn place(&self, address: u64) -> Place {
        let offset = i128::from(address & !WINDOW_MASK);
        let named = |name: &str| Place { name: name.to_owned(), offset };
        match address & WINDOW_MASK {
            0 => match self.meant(address).map(|number| &self.memory.buffers[number]) {
                Some(buffer) => Place {
                    name: buffer.name.clone(),
                    offset: i128::from(address) - i128::from(buffer.address),
                },
                None => named("no buffer"),
            },
            SHARED_WINDOW => named("shared memory"),
            LOCAL_WINDOW => named("local memory"),
            PARAM_WINDOW => named("parameters"),
            _ => Place { name: "no memory".into(), offset: address.into() },
        }
    }
}
