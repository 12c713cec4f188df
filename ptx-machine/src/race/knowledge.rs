//! What a lane knows of the others' past.

use std::sync::Arc;

/// A lane of the grid: block and thread.
pub(super) type LaneName = (u32, u32);

#[derive(Clone, Debug, Default)]
pub(super) struct Knowledge {
    /// For each block: all its accesses of epochs before this one.
    blocks: Vec<u32>,
    /// Sorted. For each lane: its accesses of counts before this one.
    lanes: Vec<(LaneName, u32)>,
}

impl Knowledge {
    pub fn epochs_of(&self, block: u32) -> u32 {
        self.blocks.get(block as usize).copied().unwrap_or(0)
    }

    pub fn count_of(&self, lane: LaneName) -> u32 {
        self.lanes.binary_search_by_key(&lane, |entry| entry.0).map_or(0, |at| self.lanes[at].1)
    }

    pub fn learn_block(&mut self, block: u32, epoch: u32) {
        let at = block as usize;
        if epoch > 0 && self.blocks.len() <= at {
            self.blocks.resize(at + 1, 0);
        }
        if let Some(known) = self.blocks.get_mut(at) {
            *known = epoch.max(*known);
        }
    }

    pub fn learn_lane(&mut self, lane: LaneName, count: u32) {
        match self.lanes.binary_search_by_key(&lane, |entry| entry.0) {
            Ok(at) => self.lanes[at].1 = self.lanes[at].1.max(count),
            Err(at) => self.lanes.insert(at, (lane, count)),
        }
    }

    /// What a barrier makes superfluous: its epoch covers the block's own lanes.
    pub fn forget_lanes_of(&mut self, block: u32) {
        self.lanes.retain(|((of, _), _)| *of != block);
    }

    pub fn learn(&mut self, other: &Self) {
        if self.blocks.len() < other.blocks.len() {
            self.blocks.resize(other.blocks.len(), 0);
        }
        for (known, new) in self.blocks.iter_mut().zip(&other.blocks) {
            *known = (*known).max(*new);
        }
        if other.lanes.is_empty() {
            return;
        }
        let mut merged = Vec::with_capacity(self.lanes.len() + other.lanes.len());
        let (mut a, mut b) = (self.lanes.iter().peekable(), other.lanes.iter().peekable());
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            match x.0.cmp(&y.0) {
                std::cmp::Ordering::Less => merged.extend(a.next()),
                std::cmp::Ordering::Greater => merged.extend(b.next()),
                std::cmp::Ordering::Equal => {
                    merged.push((x.0, x.1.max(y.1)));
                    a.next();
                    b.next();
                }
            }
        }
        merged.extend(a);
        merged.extend(b);
        self.lanes = merged;
    }
}

/// All of them together; one of them where they are the same.
pub(super) fn union<'a>(parts: impl Iterator<Item = &'a Arc<Knowledge>>) -> Arc<Knowledge> {
    let mut total: Option<Arc<Knowledge>> = None;
    let mut last: Option<&Arc<Knowledge>> = None;
    for part in parts {
        if last.is_some_and(|last| Arc::ptr_eq(last, part)) {
            continue;
        }
        last = Some(part);
        match &mut total {
            None => total = Some(Arc::clone(part)),
            Some(known) if Arc::ptr_eq(known, part) => {}
            Some(known) => Arc::make_mut(known).learn(part),
        }
    }
    total.unwrap_or_default()
}
