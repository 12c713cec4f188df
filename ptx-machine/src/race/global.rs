//! Marks of global memory, shared by all threads of the host.

use super::knowledge::Knowledge;
use super::mark::{Conflict, Present};
use super::page::{PAGE, Page};
use crate::memory::Memory;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What was released into a word by its last strong writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Location {
    /// For everyone.
    pub device: Option<Arc<Knowledge>>,
    /// For one block.
    pub block: Option<(u32, Arc<Knowledge>)>,
}

#[derive(Debug)]
pub(crate) struct GlobalRaces {
    buffers: Vec<BufferMarks>,
    locations: Mutex<HashMap<u64, Location>>,
    /// Whether any lane has released anything: before that, no word needs looking up.
    released: AtomicBool,
}

#[derive(Debug)]
struct BufferMarks {
    start: u64,
    pages: Vec<Mutex<Page>>,
}

/// A page's number in its buffer, and the page.
pub(super) type OpenPage<'a> = (usize, MutexGuard<'a, Page>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GlobalRaces {
    pub fn new(memory: &Memory) -> Self {
        let buffers = memory
            .buffers
            .iter()
            .map(|buffer| {
                let start = buffer.address / PAGE * PAGE;
                // A released buffer has no page: a device that has lived long has thousands of them.
                let end = if buffer.length == 0 { start } else { buffer.address + buffer.length };
                let pages = (end - start).div_ceil(PAGE);
                BufferMarks { start, pages: (0..pages).map(|_| Mutex::default()).collect() }
            })
            .collect();
        Self { buffers, locations: Mutex::default(), released: AtomicBool::new(false) }
    }

    /// An aligned access never crosses a page. `open` is the page that is locked already.
    pub(super) fn touch<'a>(
        &'a self,
        buffer: usize,
        open: &mut Option<OpenPage<'a>>,
        address: u64,
        size: u32,
        now: &Present,
    ) -> Result<(), Conflict> {
        let Some(marks) = self.buffers.get(buffer) else { return Ok(()) };
        let offset = address - marks.start;
        let number = usize::try_from(offset / PAGE).unwrap_or(usize::MAX);
        if open.as_ref().is_none_or(|(known, _)| *known != number) {
            // Never two at a time: two threads could wait for each other.
            *open = None;
            *open = marks.pages.get(number).map(|page| (number, lock(page)));
        }
        match open {
            Some((_, page)) => page.touch(offset % PAGE, size, now),
            None => Ok(()),
        }
    }

    pub fn note_release(&self) {
        self.released.store(true, Ordering::Relaxed);
    }

    pub fn has_releases(&self) -> bool {
        self.released.load(Ordering::Relaxed)
    }

    pub(super) fn with_location<T>(
        &self,
        address: u64,
        with: impl FnOnce(&mut Location) -> T,
    ) -> T {
        with(lock(&self.locations).entry(address).or_default())
    }
}
