//! [`run`]: a whole grid, block after block.

use std::cell::RefCell;

use super::block::Block;
use super::memory::{Fault, Memory};
use crate::kernel::Kernel;

/// Runs `kernel` over `blocks` blocks, in an order drawn from `seed`.
///
/// # Errors
/// The first fault of any thread; what was written before it stays written.
pub fn run(
    kernel: &Kernel,
    blocks: u32,
    arguments: &[u64],
    memory: &mut Memory,
    seed: u64,
) -> Result<(), Fault> {
    let memory = RefCell::new(memory);
    // An affine walk through all blocks: its step has no common divisor with their number.
    let count = u64::from(blocks.max(1));
    let step = (seed % count..).find(|step| gcd(*step, count) == 1).unwrap_or(1);
    for turn in 0..u64::from(blocks) {
        let index = (seed % count + turn % count * (step % count)) % count;
        let index = u32::try_from(index).unwrap_or(0);
        let block = Block::new(&memory, [index, blocks], seed % 2 == 1);
        (kernel.body)(&block, arguments);
        if let Some(fault) = block.into_fault() {
            return Err(fault);
        }
    }
    Ok(())
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
