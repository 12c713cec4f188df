//! The kernels of the multilayer perceptron: `presam-model`'s sums in their order, over threads.

mod product;
mod rows;

pub use product::{
    Columns, Finish, Identity, LARGE_TILE, Layout, Relu, ReluSlope, Rows, TILE, product,
};
pub use rows::{bias_gradient, correct_count, cross_entropy, gather, mean_loss, report};
