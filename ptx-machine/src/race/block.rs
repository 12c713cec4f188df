//! The clocks of a block's lanes, and the marks of its shared memory.

use super::global::{GlobalRaces, Location};
use super::knowledge::{Knowledge, union};
use super::mark::{Conflict, Mark, Present, Who};
use super::page::{PAGE, Page};
use super::{Ground, Touch};
use crate::code::{Order, Scope, WARP, WINDOW_MASK};
use crate::fault::AccessKind;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Debug, Default, Clone)]
struct Clock {
    known: Arc<Knowledge>,
    /// Read by strong reads, to be known after the next fence: from the own block, from anywhere.
    pending_block: Vec<Arc<Knowledge>>,
    pending_device: Vec<Arc<Knowledge>>,
    /// What the last fence released.
    released_block: Option<Arc<Knowledge>>,
    released_device: Option<Arc<Knowledge>>,
    /// Releases so far.
    count: u32,
}

#[derive(Debug)]
pub(crate) struct BlockRaces {
    number: u32,
    epoch: u32,
    warp_epochs: Vec<u32>,
    clocks: Vec<Clock>,
    shared: Vec<Page>,
    shared_locations: HashMap<u64, Location>,
    /// What threads brought to a barrier at which they did not wait.
    arrived: HashMap<usize, Vec<Arc<Knowledge>>>,
}

impl BlockRaces {
    pub fn new(number: u32, threads: u32, shared_bytes: u32) -> Self {
        let pages = u64::from(shared_bytes).div_ceil(PAGE);
        Self {
            number,
            epoch: 0,
            warp_epochs: vec![0; threads.div_ceil(WARP as u32) as usize],
            clocks: vec![Clock::default(); threads as usize],
            shared: (0..pages).map(|_| Page::default()).collect(),
            shared_locations: HashMap::new(),
            arrived: HashMap::new(),
        }
    }

    /// Lanes touch memory, one after the other. The page stays locked while they stay in it.
    pub fn touch(
        &mut self,
        ground: &Ground,
        touches: impl Iterator<Item = Touch>,
    ) -> Result<(), Box<(Touch, Conflict)>> {
        let mut open = None;
        for touch in touches {
            let thread = thread_of(touch.warp, touch.lane);
            let clock = &self.clocks[thread];
            let mark = Mark {
                block: self.number,
                epoch: self.epoch,
                count: clock.count,
                pc: touch.pc,
                who: Who::thread(thread),
                kind: touch.kind,
            };
            let warp_epoch = self.warp_epochs[touch.warp as usize];
            let now = Present { mark, strong: touch.strong, warp_epoch, known: &clock.known };
            let result = match ground {
                Ground::Global(global, buffer) => {
                    global.touch(*buffer, &mut open, touch.address, touch.size, &now)
                }
                Ground::Shared => {
                    let offset = touch.address & !WINDOW_MASK;
                    match self.shared.get_mut((offset / PAGE) as usize) {
                        Some(page) => page.touch(offset % PAGE, touch.size, &now),
                        None => Ok(()),
                    }
                }
            };
            result.map_err(|conflict| Box::new((touch, conflict)))?;
        }
        Ok(())
    }

    /// A strong access passes on what was released, or takes it in.
    pub fn order(&mut self, global: &GlobalRaces, in_global: bool, touch: Touch, order: Order) {
        let thread = thread_of(touch.warp, touch.lane);
        if order.release {
            self.release(global, thread, order.scope);
        }
        if !global.has_releases() {
            return;
        }
        let clock = &mut self.clocks[thread];
        let number = self.number;
        if in_global {
            global.with_location(touch.address, |location| {
                exchange(clock, number, location, touch.kind)
            });
        } else {
            let location = self.shared_locations.entry(touch.address).or_default();
            exchange(clock, number, location, touch.kind);
        }
        if order.acquire {
            self.acquire(thread, order.scope);
        }
    }

    /// A fence acquires what was read before it and releases what was done before it.
    pub fn fence(&mut self, global: &GlobalRaces, warp: u32, lane: usize, scope: Scope) {
        let thread = thread_of(warp, lane);
        self.acquire(thread, scope);
        self.release(global, thread, scope);
    }

    fn acquire(&mut self, thread: usize, scope: Scope) {
        let clock = &mut self.clocks[thread];
        let mut news = std::mem::take(&mut clock.pending_block);
        if scope == Scope::Device {
            news.append(&mut clock.pending_device);
        }
        if !news.is_empty() {
            clock.known = union(std::iter::once(&clock.known).chain(&news));
        }
    }

    fn release(&mut self, global: &GlobalRaces, thread: usize, scope: Scope) {
        global.note_release();
        let (block, epoch) = (self.number, self.epoch);
        let clock = &mut self.clocks[thread];
        clock.count += 1;
        let mut released = Knowledge::clone(&clock.known);
        released.learn_block(block, epoch);
        released.learn_lane((block, thread as u32), clock.count);
        let released = Arc::new(released);
        if scope == Scope::Device {
            clock.released_device = Some(Arc::clone(&released));
        }
        clock.released_block = Some(released);
    }

    /// `bar.warp.sync`: each lane knows what the others did before.
    pub fn join_lanes(&mut self, warp: u32, mask: u32, whole: bool) {
        self.join(&[(warp, mask)], &[]);
        if whole {
            self.warp_epochs[warp as usize] += 1;
        }
    }

    /// `bar.arrive`: what these lanes did before is known to those that wait.
    pub fn arrive(&mut self, number: usize, warp: u32, mask: u32) {
        for thread in threads(&[(warp, mask)]) {
            let clock = &mut self.clocks[thread];
            clock.count += 1;
            let mut known = Knowledge::clone(&clock.known);
            known.learn_lane((self.number, thread as u32), clock.count);
            self.arrived.entry(number).or_default().push(Arc::new(known));
        }
    }

    fn join(&mut self, members: &[(u32, u32)], arrived: &[Arc<Knowledge>]) {
        let threads: Vec<usize> = threads(members).collect();
        let own = threads.iter().map(|&thread| &self.clocks[thread].known);
        let mut known = union(own.chain(arrived));
        let all = Arc::make_mut(&mut known);
        for &thread in &threads {
            self.clocks[thread].count += 1;
            all.learn_lane((self.number, thread as u32), self.clocks[thread].count);
        }
        for &thread in &threads {
            self.clocks[thread].known = Arc::clone(&known);
        }
    }

    /// A barrier: of the whole block, or among some of its threads.
    pub fn barrier(&mut self, number: usize, members: &[(u32, u32)], whole: bool) {
        let arrived = self.arrived.remove(&number).unwrap_or_default();
        if !whole || !arrived.is_empty() {
            self.join(members, &arrived);
            return;
        }
        self.epoch += 1;
        let first = Arc::clone(&self.clocks[0].known);
        if self.clocks.iter().all(|clock| Arc::ptr_eq(&clock.known, &first)) {
            return;
        }
        let mut known = union(self.clocks.iter().map(|clock| &clock.known));
        Arc::make_mut(&mut known).forget_lanes_of(self.number);
        self.clocks.iter_mut().for_each(|clock| clock.known = Arc::clone(&known));
    }
}

fn threads(members: &[(u32, u32)]) -> impl Iterator<Item = usize> {
    members.iter().flat_map(|&(warp, mask)| {
        (0..WARP).filter(move |lane| mask >> lane & 1 == 1).map(move |lane| thread_of(warp, lane))
    })
}

fn thread_of(warp: u32, lane: usize) -> usize {
    warp as usize * WARP + lane
}

/// What a strong access does to the knowledge that lies at a word.
fn exchange(clock: &mut Clock, block: u32, location: &mut Location, kind: AccessKind) {
    if kind != AccessKind::Write {
        clock.pending_device.extend(location.device.clone());
        clock.pending_block.extend(
            location.block.iter().filter(|(of, _)| *of == block).map(|(_, k)| Arc::clone(k)),
        );
    }
    match kind {
        AccessKind::Read => {}
        // A store ends the chain of releases before it.
        AccessKind::Write => {
            location.device = clock.released_device.clone();
            location.block = clock.released_block.clone().map(|known| (block, known));
        }
        AccessKind::Atomic => {
            if let Some(released) = &clock.released_device {
                location.device = Some(union(location.device.iter().chain([released])));
            }
            if let Some(released) = &clock.released_block {
                let before =
                    location.block.take().filter(|(of, _)| *of == block).map(|(_, known)| known);
                location.block = Some((block, union(before.iter().chain([released]))));
            }
        }
    }
}
