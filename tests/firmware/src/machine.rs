//! [`Machine`]: what an image asks of the machine it runs on.

use core::fmt::Arguments;

/// A microcontroller, or a host that stands in for one and measures nothing.
pub trait Machine {
    /// Prints a line.
    fn line(&mut self, text: Arguments<'_>);

    /// Instructions since some moment, to the next 40.
    fn instructions(&mut self) -> Option<u64>;

    /// Paints the free stack, so that [`stack`](Machine::stack) sees what is written from now on.
    fn paint(&mut self);

    /// Bytes of stack below the caller that were written since the painting.
    fn stack(&mut self) -> Option<usize>;

    /// Bytes of static RAM of this image.
    fn static_ram(&self) -> Option<usize>;
}

/// What something cost.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Instructions, to the next 40.
    pub instructions: u64,
    /// Peak of the stack in bytes.
    pub stack: usize,
}

/// Runs `work` and measures it; no cost on a host.
pub fn measured<T>(machine: &mut dyn Machine, work: impl FnOnce() -> T) -> (T, Option<Cost>) {
    machine.paint();
    let before = machine.instructions();
    let done = work();
    let after = machine.instructions();
    let stack = machine.stack();
    let cost = before.zip(after).zip(stack);
    (
        done,
        cost.map(|((before, after), stack)| Cost {
            instructions: after.wrapping_sub(before),
            stack,
        }),
    )
}
