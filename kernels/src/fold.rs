//! The tree over parts: adjacent pairs, padded with neutral parts.

use presam::Part;

use crate::layout::PART_BYTES;
use crate::team::{THREADS, Team, WARP, WARPS, lane};

/// Adjacent parts that a thread folds in its registers: three levels of the tree.
const OWN: u32 = 8;
/// Parts that a warp folds.
const OF_WARP: u32 = WARP * OWN;
/// Parts that a block folds: an aligned subtree.
pub const LEAVES: u32 = THREADS * OWN;

/// Where a tree's parts are, and the room that it needs.
#[derive(Clone, Copy, Debug)]
pub struct Tree {
    /// The parts.
    pub parts: u64,
    /// How many.
    pub count: u32,
    /// One part a block.
    pub results: u64,
    /// A word that is 0 before and after.
    pub counter: u64,
}

impl Tree {
    /// The first four arguments of a kernel that folds.
    #[inline(always)]
    #[must_use]
    pub const fn new(parts: u64, count: u64, results: u64, counter: u64) -> Self {
        Self { parts, count: count as u32, results, counter }
    }
}

/// Folds the tree over any number of blocks; the thread that has the root concludes.
///
/// Each block folds an aligned subtree of [`LEAVES`] parts; the block that is done last folds their
/// results, which is the same tree. No part at all is the neutral part.
#[inline(always)]
pub fn fold<W: Team>(team: &W, tree: Tree, conclude: impl Fn(Part<f32>)) {
    let (mut parts, mut first, mut count) = (tree.parts, team.block() * LEAVES, tree.count);
    let mut is_root = team.blocks() <= 1;
    loop {
        let root = subtree(team, parts, first, count);
        if is_root {
            team.map(root, |thread, root| {
                if thread == 0 {
                    conclude(root);
                }
            });
            return;
        }
        team.map(root, |thread, root| {
            if thread == 0 {
                team.set_part(tree.results, team.block(), root);
                // The result must be seen before the count, the others' before what follows the last.
                team.fence();
                let done = team.add(tree.counter, 1) + 1;
                team.fence();
                team.share(LAST, u32::from(done == team.blocks()));
                if done == team.blocks() {
                    team.set_word(tree.counter, 0);
                }
            }
        });
        // Before it the first thread has read the warps' roots: the second tree may overwrite them.
        team.barrier();
        let last = team.each(|_| team.shared(LAST) != 0);
        if !team.any(last) {
            return;
        }
        // Once more, over the blocks' results: one subtree, since there are at most LEAVES blocks.
        (parts, first, count, is_root) = (tree.results, 0, team.blocks(), true);
    }
}

/// Words of shared memory: a part of three words for each warp, and whether this block is the last.
const LAST: u32 = 3 * WARPS;

/// The root of the block's subtree over parts `first..first + LEAVES`, of which `count` exist, in the
/// first thread.
#[inline(always)]
fn subtree<W: Team>(team: &W, parts: u64, first: u32, count: u32) -> W::Each<Part<f32>> {
    let mut node = team.each(|_| Part::ZERO);
    // A warp past the end has nothing but neutral parts.
    if team.any(team.each(|thread| first + thread / WARP * OF_WARP < count)) {
        node = team.each(|thread| {
            let own = first + thread * OWN;
            eight(|i| {
                let index = own + i;
                // Loaded in any case, so that eight loads are in flight together.
                let part = team.part(parts, index.min(count.wrapping_sub(1)));
                if index < count { part } else { Part::ZERO }
            })
        });
        let mut by = 1;
        while by < WARP {
            let next = team.shuffle_down(node, by);
            node = team.map(team.zip(node, next), |_, (node, next)| node.combine(next));
            by *= 2;
        }
    }
    if count <= first + OF_WARP { node } else { over_warps(team, node) }
}

/// The root over the parts that the warps' first lanes have, in the first thread.
#[inline(always)]
pub fn over_warps<W: Team>(team: &W, node: W::Each<Part<f32>>) -> W::Each<Part<f32>> {
    team.map(node, |thread, node| {
        if lane(thread) == 0 {
            let at = 3 * (thread / WARP);
            team.share(at, node.sum.to_bits());
            team.share(at + 1, node.statistic.to_bits());
            team.share(at + 2, node.class.cast_unsigned());
        }
    });
    team.barrier();
    team.map(node, |thread, node| {
        if thread > 0 {
            return node;
        }
        eight(|warp| Part {
            sum: f32::from_bits(team.shared(3 * warp)),
            statistic: f32::from_bits(team.shared(3 * warp + 1)),
            class: team.shared(3 * warp + 2).cast_signed(),
        })
    })
}

/// The tree over eight adjacent parts, in registers, which have no index: written out where all are of class
/// 0 and stay finite, else part after part.
#[inline(always)]
fn eight(part: impl Fn(u32) -> Part<f32>) -> Part<f32> {
    let [a, b, c, d] = [part(0), part(1), part(2), part(3)];
    let [e, f, g, h] = [part(4), part(5), part(6), part(7)];
    let tree = |[a, b, c, d, e, f, g, h]: [f32; 8]| ((a + b) + (c + d)) + ((e + f) + (g + h));
    let sum = tree([a.sum, b.sum, c.sum, d.sum, e.sum, f.sum, g.sum, h.sum]);
    let classes = a.class | b.class | c.class | d.class | e.class | f.class | g.class | h.class;
    if classes != 0 || !sum.is_finite() {
        return one_by_one(part);
    }
    let [s, t, u, v] = [a.statistic, b.statistic, c.statistic, d.statistic];
    let [w, x, y, z] = [e.statistic, f.statistic, g.statistic, h.statistic];
    Part { sum, statistic: tree([s, t, u, v, w, x, y, z]), class: 0 }
}

/// The same by [`Part::combine`], which stands here once: a carry of three levels.
#[inline(always)]
fn one_by_one(part: impl Fn(u32) -> Part<f32>) -> Part<f32> {
    let [mut one, mut two, mut four] = [Part::ZERO; 3];
    let (mut node, mut i) = (Part::ZERO, 0);
    while i < OWN {
        (node, i) = (part(i), i + 1);
        let mut level = 1;
        while i & level == 0 {
            let left = if level == 1 {
                one
            } else if level == 2 {
                two
            } else {
                four
            };
            (node, level) = (left.combine(node), 2 * level);
        }
        match level {
            1 => one = node,
            2 => two = node,
            _ => four = node,
        }
    }
    node
}

const _: () = assert!(OWN == 8 && WARPS == 8 && PART_BYTES == 16);
