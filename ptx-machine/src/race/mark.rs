//! Who touched a byte, and when.

use super::knowledge::Knowledge;
use crate::code::WARP;
use crate::fault::AccessKind;

/// Whom a mark stands for: a thread of a block, a whole warp, the whole block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Who(u16);

impl Who {
    const WARP_BIT: u16 = 1 << 10;
    const BLOCK: Self = Self(1 << 11);

    pub fn thread(thread: usize) -> Self {
        Self(thread as u16 & (Self::WARP_BIT - 1))
    }

    fn as_thread(self) -> Option<u16> {
        (self.0 < Self::WARP_BIT).then_some(self.0)
    }

    fn warp(self) -> Option<u16> {
        match self {
            Self::BLOCK => None,
            Self(thread) if thread < Self::WARP_BIT => Some(thread / WARP as u16),
            Self(warp) => Some(warp & !Self::WARP_BIT),
        }
    }

    /// The smallest of them that both belong to.
    fn with(self, other: Self) -> Self {
        match (self.warp(), other.warp()) {
            _ if self == other => self,
            (Some(a), Some(b)) if a == b => Self(Self::WARP_BIT | a),
            _ => Self::BLOCK,
        }
    }
}

/// An access that is remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub block: u32,
    /// Barriers of the block before it.
    pub epoch: u32,
    /// A thread's releases before it; for a warp's mark its synchronisations.
    pub count: u32,
    pub pc: u32,
    pub who: Who,
    pub kind: AccessKind,
}

/// A lane now.
pub(super) struct Present<'a> {
    pub mark: Mark,
    /// The access is strong: it races with plain ones only.
    pub strong: bool,
    /// Synchronisations of its whole warp before now.
    pub warp_epoch: u32,
    pub known: &'a Knowledge,
}

/// The access that a new one races with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conflict {
    pub block: u32,
    pub thread: Option<u32>,
    pub kind: AccessKind,
    pub pc: u32,
}

impl Mark {
    /// Whether this access comes before all that the lane does from now on.
    pub fn is_before(&self, now: &Present) -> bool {
        if self.block == now.mark.block {
            if self.who == now.mark.who || self.epoch < now.mark.epoch {
                return true;
            }
        } else if now.known.epochs_of(self.block) > self.epoch {
            return true;
        }
        match self.who.as_thread() {
            Some(thread) => now.known.count_of((self.block, thread.into())) > self.count,
            None => {
                let own_warp =
                    self.block == now.mark.block && self.who.warp() == now.mark.who.warp();
                own_warp && self.who != Who::BLOCK && self.count < now.warp_epoch
            }
        }
    }

    pub fn conflict(&self) -> Conflict {
        let thread = self.who.as_thread().map(u32::from);
        Conflict { block: self.block, thread, kind: self.kind, pc: self.pc }
    }

    /// One mark for this access and one of the same block now, which are not ordered. Their warp did not
    /// synchronise in between, or they would be.
    pub fn merged(&self, now: &Present) -> Self {
        let who = self.who.with(now.mark.who);
        let count = if who.as_thread().is_some() { now.mark.count } else { now.warp_epoch };
        Self { who, count, ..now.mark }
    }
}
