//! Execution of a grid.

mod access;
mod atomic;
mod barrier;
mod block;
mod call;
mod common;
mod grid;
mod meet;
mod place;
mod registers;
mod schedule;
mod shared;
mod step;
mod traffic;
mod trouble;
mod warp;
mod worker;

pub(crate) use grid::{Grid, SharedLayout};
pub(crate) use schedule::run;
