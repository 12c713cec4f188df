//! Blocks on the CPU: the threads of a block as arrays in lockstep, over memory that is checked.
//!
//! The emulator finds what a GPU would not tell: access outside of a buffer, misaligned access, reading
//! what was never written. Blocks run one after the other in an order drawn from a seed, since a
//! result that depends on it would be wrong.

pub(crate) mod block;
mod memory;
mod run;

pub use block::Block;
pub use memory::{Fault, Memory};
pub use run::run;
