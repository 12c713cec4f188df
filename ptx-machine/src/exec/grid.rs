//! What all blocks of a launch share.

use crate::code::{Code, Constant, Function};
use crate::memory::Memory;
use crate::module::Module;
use crate::race::GlobalRaces;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Atomics of 64 bytes of memory share a lock.
const LOCKS: usize = 256;

pub(crate) struct Grid<'a> {
    pub module: &'a Module,
    pub code: &'a Code,
    pub kernel: &'a Function,
    pub memory: &'a Memory,
    /// The address of each module variable.
    pub variables: Vec<u64>,
    pub params: Vec<u8>,
    pub grid: [u32; 3],
    pub block: [u32; 3],
    pub dynamic_shared: u32,
    pub shared: SharedLayout,
    pub seed: u64,
    pub resident: usize,
    pub budget: u64,
    pub spent: AtomicU64,
    pub stop: AtomicBool,
    pub races: Option<GlobalRaces>,
    pub locks: Vec<Mutex<()>>,
    pub next_block: AtomicU64,
}

impl Grid<'_> {
    pub fn locks() -> Vec<Mutex<()>> {
        (0..LOCKS).map(|_| Mutex::new(())).collect()
    }

    pub fn lock(&self, address: u64) -> MutexGuard<'_, ()> {
        let number = usize::try_from(address / 64).unwrap_or(0) % LOCKS;
        // Nothing panics while holding it, and it guards no data of its own.
        self.locks[number].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn blocks(&self) -> u64 {
        self.grid.iter().map(|&n| u64::from(n)).product()
    }

    pub fn threads(&self) -> u32 {
        self.block.iter().product()
    }
}

/// Where the shared variables of one kernel lie.
pub(crate) struct SharedLayout {
    /// Of every variable of the module; 0 where the kernel has no use for it.
    pub offsets: Vec<u32>,
    /// Where the launch's own part starts.
    pub dynamic: u32,
    pub bytes: u32,
}

impl SharedLayout {
    /// Room for the variables that these functions name, then `dynamic` bytes, aligned as the widest load wants.
    pub fn new<'a>(
        code: &Code,
        functions: impl Iterator<Item = &'a Function>,
        dynamic: u32,
    ) -> Self {
        let mut used = vec![false; code.shared.len()];
        for (_, constant) in functions.flat_map(|function| &function.constants) {
            if let Constant::Shared(number, _) = constant {
                used[*number as usize] = true;
            }
        }
        let (mut offsets, mut end) = (vec![0; code.shared.len()], 0_u32);
        for ((variable, offset), _) in
            code.shared.iter().zip(&mut offsets).zip(used).filter(|(_, used)| *used)
        {
            *offset = end.next_multiple_of(variable.align);
            end = offset.saturating_add(variable.bytes).min(u32::MAX >> 1);
        }
        let start = end.next_multiple_of(16);
        let bytes = if dynamic == 0 { end } else { start.saturating_add(dynamic) };
        Self { offsets, dynamic: start, bytes }
    }
}
