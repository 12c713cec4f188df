//! The kernels of a step. Each takes its arguments as an array of 64-bit words, named in [`entries`](crate::entries).

mod ascent;
mod descent;
mod mix;

pub use ascent::{accumulate, accumulate_gradient, ascend, finish, restore};
pub use descent::{descend, second};
pub use mix::{
    accumulate_distance, accumulate_pair, arm_gsam, arm_reuse, arm_split, correct, mix, total,
};

use crate::fold::Tree;
use crate::piece::Table;

/// The first three arguments of a pass.
#[inline(always)]
const fn table(chunks: u64, count: u64, segments: u64) -> Table {
    Table { chunks, count: count as u32, segments }
}

/// The first four arguments of a tree.
#[inline(always)]
const fn tree(parts: u64, count: u64, results: u64, counter: u64) -> Tree {
    Tree { parts, count: count as u32, results, counter }
}
