//! The tree over chunk parts: adjacent pairs, padded with neutral parts.

use presam::Part;

use crate::layout::PART_BYTES;
use crate::team::{THREADS, Team, WARP, WARPS, lane};

/// Runs of 32 parts that a warp folds.
const OWN: u32 = 8;
/// Parts that a block folds: an aligned subtree.
pub const LEAVES: u32 = THREADS * OWN;

/// Where a tree's parts are, and the room that it needs.
#[derive(Clone, Copy, Debug)]
pub struct Tree {
    /// The parts of the chunks.
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

/// The root of the block's subtree over parts `first..first + LEAVES`, of which `count` exist, in
/// every thread.
#[inline(always)]
fn subtree<W: Team>(team: &W, parts: u64, first: u32, count: u32) -> W::Each<Part<f32>> {
    let mut own = team.each(|_| Part::ZERO);
    let mut run = 0;
    // A warp's leaves in runs of 32, a lane each; lane r keeps the root of run r.
    while run < OWN {
        let node = team.each(|thread| {
            let index = first + thread / WARP * (WARP * OWN) + run * WARP + lane(thread);
            if index < count { team.part(parts, index) } else { Part::ZERO }
        });
        let root = team.broadcast(adjacent(team, node, WARP));
        own = team.map(
            team.zip(own, root),
            |thread, (own, root)| {
                if lane(thread) == run { root } else { own }
            },
        );
        run += 1;
    }
    let node = adjacent(team, own, OWN);
    // The second tree of a block must not overwrite what the first one's last reader still reads.
    team.barrier();
    team.map(node, |thread, node| {
        if lane(thread) == 0 {
            let at = 3 * (thread / WARP);
            team.share(at, node.sum.to_bits());
            team.share(at + 1, node.statistic.to_bits());
            team.share(at + 2, node.class.cast_unsigned());
        }
    });
    team.barrier();
    let node = team.each(|thread| {
        let at = 3 * (lane(thread) % WARPS);
        Part {
            sum: f32::from_bits(team.shared(at)),
            statistic: f32::from_bits(team.shared(at + 1)),
            class: team.shared(at + 2).cast_signed(),
        }
    });
    adjacent(team, node, WARPS)
}

/// The tree over adjacent lanes: its root over `width` of them is the first one's.
#[inline(always)]
fn adjacent<W: Team>(team: &W, mut node: W::Each<Part<f32>>, width: u32) -> W::Each<Part<f32>> {
    let mut by = 1;
    while by < width {
        let next = team.shuffle_down(node, by);
        node = team.map(team.zip(node, next), |_, (node, next)| node.combine(next));
        by *= 2;
    }
    node
}

const _: () = assert!(OWN <= WARP && WARPS <= WARP && PART_BYTES == 16);
