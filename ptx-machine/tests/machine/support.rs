//! Small kernels from their bodies.

use ptx_machine::{FaultKind, Launch, Memory, Module, RunError};

/// Registers that every body may use.
const REGISTERS: &str = ".reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<32>; .reg .b64 %d<32>;
    ld.param.u64 %d1, [a]; ld.param.u64 %d2, [b]; mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x;
    mov.u32 %r3, %laneid;
    mul.wide.u32 %d3, %r1, 4; add.s64 %d4, %d1, %d3; add.s64 %d5, %d2, %d3;";

/// A module with the kernel `k`, whose parameters a and b are addresses: %d1 and %d2. %r1 is the thread, %r2
/// the block, %r3 the lane; %d4 and %d5 are the thread's words in a and b.
pub fn text_of(before: &str, body: &str) -> String {
    format!(
        ".version 7.0 .target sm_70 .address_size 64\n{before}\n\
         .visible .entry k(.param .u64 a, .param .u64 b) {{\n{REGISTERS}\n{body}\nret; }}\n"
    )
}

pub fn module_of(before: &str, body: &str) -> Module {
    match Module::parse(&text_of(before, body)) {
        Ok(module) => module,
        Err(error) => panic!("{error}\n{body}"),
    }
}

/// A kernel and the shape it runs in.
pub struct Case {
    pub module: Module,
    pub grid: u32,
    pub block: u32,
    pub resident: usize,
}

impl Case {
    pub fn new(body: &str) -> Self {
        Self::with(".shared .align 16 .b8 s[1024];", body)
    }

    pub fn with(before: &str, body: &str) -> Self {
        Self { module: module_of(before, body), grid: 1, block: 32, resident: 0 }
    }

    pub fn shape(self, grid: u32, block: u32) -> Self {
        Self { grid, block, ..self }
    }

    /// All blocks take turns.
    pub fn together(self) -> Self {
        Self { resident: self.grid as usize, ..self }
    }

    pub fn launch(&self, memory: &mut Memory, seed: u64) -> Result<(), RunError> {
        let a = memory.find("a").unwrap_or_else(|| memory.buffer("a", &[0; 4096]));
        let b = memory.find("b").unwrap_or_else(|| memory.buffer("b", &[0; 4096]));
        let launch = Launch::new(&self.module, "k").grid(self.grid).block(self.block).seed(seed);
        let launch =
            launch.resident(self.resident).budget(10_000_000).buffer(memory, a).buffer(memory, b);
        launch.run(memory).map(|_| ())
    }

    /// Runs with two buffers of 4096 zeros; gives what b holds.
    pub fn run(&self, seed: u64) -> Result<Vec<u32>, RunError> {
        let mut memory = Memory::new();
        self.launch(&mut memory, seed)?;
        let b = memory.find("b").expect("b is there");
        Ok(memory
            .bytes(b)
            .chunks_exact(4)
            .map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]))
            .collect())
    }

    /// The same in 24 schedules, none of which may fail or differ.
    pub fn result(&self) -> Vec<u32> {
        let first = self.run(0).unwrap_or_else(|error| panic!("{error}"));
        for seed in 1..24 {
            match self.run(seed) {
                Ok(other) => assert_eq!(other, first, "seed {seed}"),
                Err(error) => panic!("seed {seed}: {error}"),
            }
        }
        first
    }

    /// The fault, which must come in each of 24 schedules.
    pub fn fault(&self) -> FaultKind {
        let faults: Vec<FaultKind> = (0..24).map(|seed| fault_kind(self.run(seed))).collect();
        let first = std::mem::discriminant(&faults[0]);
        assert!(faults.iter().all(|fault| std::mem::discriminant(fault) == first), "{faults:?}");
        faults.into_iter().next().expect("24 of them")
    }

    /// What is said of the fault in the plain schedule.
    pub fn message(&self) -> String {
        self.fault();
        self.run(0).expect_err("a fault").to_string()
    }
}

pub fn fault_kind<T>(result: Result<T, RunError>) -> FaultKind {
    match result {
        Err(RunError::Fault(fault)) => fault.kind,
        Err(other) => panic!("no fault but {other}"),
        Ok(_) => panic!("the planted fault was not caught"),
    }
}
