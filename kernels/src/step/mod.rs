//! The kernels of a step. Each takes its arguments as an array of 64-bit words, named in [`entries`](crate::entries).

mod ascent;
mod descent;
mod mix;

pub use ascent::{accumulate, accumulate_gradient, ascend, finish, restore, restore_mixed};
pub use descent::{descend, second};
pub use mix::{
    accumulate_distance, accumulate_pair, arm_gsam, arm_reuse, arm_split, correct, mix, total,
};
