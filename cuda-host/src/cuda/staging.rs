//! Small writes that wait for nothing: page-locked slots in a ring, each free again after its copy.
//!
//! A step writes a few hundred bytes of schedules and must not wait for the device. 64 writes can be
//! under way; the next one waits for the oldest.

use std::ffi::c_void;
use std::rc::Rc;

use cust::sys;

use super::driver::{Failure, call};
use super::event::Event;
use super::open::Context;
use crate::device::SHORT_WRITE;

/// Bytes of a slot: longer writes are not staged.
pub(super) const SLOT_BYTES: usize = SHORT_WRITE;
const SLOTS: usize = 64;

pub(super) struct Staging {
    /// `SLOTS * SLOT_BYTES` bytes of page-locked memory.
    memory: *mut u8,
    /// For each slot: its copy is done.
    copied: Vec<Event>,
    next: usize,
    context: Rc<Context>,
}

impl Staging {
    pub(super) fn new(context: &Rc<Context>) -> Result<Self, Failure> {
        let copied = (0..SLOTS).map(|_| Event::without_time(context)).collect::<Result<_, _>>()?;
        let mut memory: *mut c_void = std::ptr::null_mut();
        // SAFETY: a context is current; freed once, when this is dropped.
        unsafe { call!(cuMemHostAlloc(&raw mut memory, SLOTS * SLOT_BYTES, 0)) }?;
        Ok(Self { memory: memory.cast(), copied, next: 0, context: Rc::clone(context) })
    }

    /// Queues a copy of `bytes`, at most [`SLOT_BYTES`] of them, which are the caller's again at once.
    pub(super) fn send(
        &mut self,
        stream: sys::CUstream,
        to: sys::CUdeviceptr,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        let bytes = bytes.get(..SLOT_BYTES).unwrap_or(bytes);
        let index = self.next;
        self.next = (index + 1) % SLOTS;
        let Some(copied) = self.copied.get(index) else { return Ok(()) };
        copied.wait()?;
        // SAFETY: `index` is below SLOTS, so the slot is inside of the memory.
        let slot = unsafe { self.memory.add(index * SLOT_BYTES) };
        // SAFETY: the slot holds SLOT_BYTES and is ours alone; its last copy has been waited for.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), slot, bytes.len()) };
        // SAFETY: the slot is not written before `copied`, recorded behind this copy, has passed.
        unsafe { call!(cuMemcpyHtoDAsync_v2(to, slot.cast(), bytes.len(), stream)) }?;
        copied.record(stream)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = self.context.bind();
        // SAFETY: allocated in `new`, freed once; its owner has waited for the stream.
        let _ = unsafe { call!(cuMemFreeHost(self.memory.cast())) };
    }
}
