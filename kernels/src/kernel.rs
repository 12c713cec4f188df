//! [`Kernel`]: what a launch needs to know.

use crate::emulator::block::Block;

/// A kernel: what a launch needs to know, and its body on the host.
pub struct Kernel {
    /// The entry point.
    pub name: &'static str,
    /// The text under kernels/ptx/ that has it.
    pub text: &'static str,
    /// Threads of a block.
    pub threads: u32,
    /// The names of its arguments, 64-bit words all.
    pub parameters: &'static [&'static str],
    pub(crate) body: fn(&Block<'_>, &[u64]),
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The arguments as a body takes them; a launch has checked their number.
pub(crate) fn words<const N: usize>(arguments: &[u64]) -> [u64; N] {
    std::array::from_fn(|i| arguments.get(i).copied().unwrap_or(0))
}
