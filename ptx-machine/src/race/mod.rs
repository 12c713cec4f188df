//! Races: two accesses to one byte, one of them writing, not both strong, and nothing that orders them.
//!
//! ```text
//! order inside a block   the barrier of the block (an epoch of it for each), bar.warp.sync among its lanes
//! order between lanes    release (a fence or .release), then a strong write or an atomic; read by a strong
//!                        read or an atomic, then acquire (a fence or .acquire): what came before the
//!                        release is known after the acquire. Atomics in between keep the chain
//! knowledge of a lane    epochs of blocks and counts of lanes that it has acquired: a vector clock
//! ```
//!
//! A fence of the block's scope orders lanes of its block only. Launches follow each other, so nothing is
//! remembered between them. Of several unordered strong accesses to a word by different blocks the last one
//! stands for all; unordered reads of one word by lanes of one block stand for the whole warp or block from then on.

mod block;
mod global;
mod knowledge;
mod mark;
mod page;

pub(crate) use block::BlockRaces;
pub(crate) use global::GlobalRaces;
pub(crate) use mark::Conflict;

use crate::fault::AccessKind;

/// One lane touches some bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Touch {
    pub warp: u32,
    pub lane: usize,
    /// A generic address.
    pub address: u64,
    pub size: u32,
    pub kind: AccessKind,
    pub strong: bool,
    pub pc: u32,
}

/// Where a touch goes, the same for all lanes of a request.
pub(crate) enum Ground<'a> {
    /// A buffer, by number.
    Global(&'a GlobalRaces, usize),
    Shared,
}
