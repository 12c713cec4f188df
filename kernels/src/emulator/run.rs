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
    // Through all blocks by a step that has no common divisor with their number.
    let count = u64::from(blocks.max(1));
    let step = (seed % count..).find(|step| gcd(*step, count) == 1).unwrap_or(1);
    let mut index = seed % count;
    for _ in 0..blocks {
        let at = u32::try_from(index).unwrap_or(0);
        let block = Block::new(&memory, [at, blocks], seed % 2 == 1);
        (kernel.body)(&block, arguments);
        if let Some(fault) = block.into_fault() {
            return Err(fault);
        }
        index = (index + step) % count;
    }
    Ok(())
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::kernel::words;
    use crate::team::Team;

    fn kernel(body: fn(&Block<'_>, &[u64])) -> Kernel {
        Kernel { name: "of this test", text: "", threads: 256, parameters: &[], body }
    }

    /// Writes the blocks' numbers as they come.
    fn note(block: &Block<'_>, arguments: &[u64]) {
        let [count, list] = words(arguments);
        let at = block.add(count, 1);
        block.set_word(list + 4 * u64::from(at), block.block() + 100 * block.blocks());
    }

    fn order(blocks: u32, seed: u64) -> Vec<u32> {
        let mut memory = Memory::new();
        let count = memory.allocate(4);
        memory.set(count, [0; 4]).unwrap();
        let list = memory.allocate(4 * blocks as usize);
        run(&kernel(note), blocks, &[count, list], &mut memory, seed).unwrap();
        let number = |i| u32::from_le_bytes(memory.get(list + 4 * u64::from(i)).unwrap());
        (0..blocks).map(number).map(|number| number - 100 * blocks).collect()
    }

    #[test]
    fn every_block_runs_once_in_an_order_of_the_seed() {
        for blocks in [1, 2, 6, 12, 35] {
            let orders: BTreeSet<_> = (0..3 * u64::from(blocks))
                .map(|seed| {
                    let order = order(blocks, seed);
                    assert_eq!(
                        order.iter().copied().collect::<BTreeSet<_>>(),
                        (0..blocks).collect()
                    );
                    order
                })
                .collect();
            assert!(orders.len() >= blocks as usize, "{blocks}: {}", orders.len());
        }
    }

    /// Of each kind one, in the last block.
    #[test]
    fn the_fault_of_any_block_is_told() {
        let told = |body, arguments: &[u64], memory: &mut Memory| {
            run(&kernel(body), 3, arguments, memory, 1).unwrap_err()
        };
        let mut memory = Memory::new();
        let address = memory.allocate(8);
        let read: fn(&Block<'_>, &[u64]) = |block, arguments| {
            let [address] = words(arguments);
            block.each(
                |thread| if thread == 77 && block.block() == 2 { block.word(address) } else { 0 },
            );
        };
        let fault = told(read, &[address], &mut memory);
        assert_eq!(fault, Fault::Uninitialised { address, bytes: 4 });
        let fault = told(read, &[address + 2], &mut memory);
        assert_eq!(fault, Fault::Misaligned { address: address + 2, bytes: 4 });
        let fault = told(read, &[address + 8], &mut memory);
        assert_eq!(fault, Fault::OutOfBounds { address: address + 8, bytes: 4 });
        let fault = told(|block, _| block.share(1 << 20, 1), &[], &mut memory);
        assert_eq!(fault, Fault::Shared { index: 1 << 20 });
        assert!(memory.free(address) && !memory.free(address));
    }
}
