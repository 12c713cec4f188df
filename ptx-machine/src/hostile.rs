//! Any bytes at all, taken as PTX and run: what a fuzzer calls.
//!
//! ```no_run
//! // fuzz_targets/ptx.rs:
//! // fuzz_target!(|data: &[u8]| { ptx_machine::hostile::run_any(data); });
//! ptx_machine::hostile::run_any(b".version 7.0 .target sm_70");
//! ```

use crate::fault::RunError;
use crate::launch::Launch;
use crate::memory::Memory;
use crate::module::Module;

/// Bytes of the buffer that each pointer leads to.
const BUFFER: usize = 8192;
/// Lane-instructions of a launch: a second of a fuzzer's time runs hundreds.
const BUDGET: u64 = 100_000;

/// What became of some bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// They were understood.
    pub understood: bool,
    /// Launches that ended well.
    pub ran: usize,
    /// Launches that could not start.
    pub refused: usize,
    /// Launches that ended with a fault.
    pub faults: usize,
}

/// Reads bytes as PTX and launches every kernel in them: parameters of 8 bytes point to a buffer each, the others
/// are small numbers. Ends within the budget, whatever the bytes are, and never panics.
pub fn run_any(bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    let Ok(module) = Module::parse(&String::from_utf8_lossy(bytes)) else { return outcome };
    outcome.understood = true;
    for (seed, kernel) in (0..).zip(module.kernels()) {
        let mut memory = Memory::new();
        let mut launch = Launch::new(&module, &kernel.name)
            .grid(2)
            .block(40)
            .seed(seed)
            .budget(BUDGET)
            .relaxed(true);
        for parameter in &kernel.parameters {
            let mut bytes = vec![0; parameter.bytes as usize];
            if bytes.len() == 8 {
                let buffer = memory.buffer(&parameter.name, &[1; BUFFER]);
                bytes = memory.address(buffer, 0).to_le_bytes().to_vec();
            } else if let Some(first) = bytes.first_mut() {
                *first = 70;
            }
            launch = launch.argument(bytes.as_slice());
        }
        match launch.run(&mut memory) {
            Ok(_) => outcome.ran += 1,
            Err(RunError::Setup(_)) => outcome.refused += 1,
            Err(RunError::Fault(_)) => outcome.faults += 1,
        }
    }
    outcome
}
