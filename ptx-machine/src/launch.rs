//! A launch: shape, arguments, schedule.

use crate::code::{Action, Code, Function};
use crate::exec::{Grid, SharedLayout, run};
use crate::fault::{RunError, SetupError};
use crate::memory::{BufferId, Memory};
use crate::module::Module;
use crate::race::GlobalRaces;
use crate::report::Report;
use crate::syntax::Datum;
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Threads that a block may have.
const MOST_THREADS: u64 = 1024;
/// Bytes of shared memory that a block may have.
const MOST_SHARED: u64 = 232_448;
/// Lane-instructions of a launch where none is asked for: minutes.
const BUDGET: u64 = 20_000_000_000;

/// A kernel, the shape of its grid, its arguments and how to run it.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    module: &'a Module,
    kernel: String,
    grid: [u32; 3],
    block: [u32; 3],
    shared: u32,
    arguments: Vec<Vec<u8>>,
    seed: u64,
    threads: usize,
    resident: usize,
    budget: u64,
    checks: bool,
    relaxed: bool,
}

/// A launch's argument: the bytes of one parameter.
pub trait Argument {
    /// The bytes, little-endian.
    fn bytes(&self) -> Vec<u8>;
}

macro_rules! argument {
    ($($t:ty),*) => {$(
        impl Argument for $t {
            fn bytes(&self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }
        }
    )*};
}

argument!(u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

/// A parameter that is a structure, as its bytes lie.
impl Argument for &[u8] {
    fn bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

impl<'a> Launch<'a> {
    /// A launch of one thread without arguments.
    #[must_use]
    pub fn new(module: &'a Module, kernel: &str) -> Self {
        Self {
            module,
            kernel: kernel.to_owned(),
            grid: [1; 3],
            block: [1; 3],
            shared: 0,
            arguments: Vec::new(),
            seed: 0,
            threads: 1,
            resident: 0,
            budget: BUDGET,
            checks: true,
            relaxed: false,
        }
    }

    /// Blocks of the grid, in x.
    #[must_use]
    pub fn grid(self, x: u32) -> Self {
        self.grid_3d(x, 1, 1)
    }

    /// Blocks of the grid.
    #[must_use]
    pub fn grid_3d(mut self, x: u32, y: u32, z: u32) -> Self {
        self.grid = [x, y, z];
        self
    }

    /// Threads of a block, in x.
    #[must_use]
    pub fn block(self, x: u32) -> Self {
        self.block_3d(x, 1, 1)
    }

    /// Threads of a block.
    #[must_use]
    pub fn block_3d(mut self, x: u32, y: u32, z: u32) -> Self {
        self.block = [x, y, z];
        self
    }

    /// Bytes of dynamic shared memory.
    #[must_use]
    pub fn shared(mut self, bytes: u32) -> Self {
        self.shared = bytes;
        self
    }

    /// The next argument: a number, an address ([`Memory::address`]), or the bytes of a structure.
    #[must_use]
    pub fn argument(mut self, value: impl Argument) -> Self {
        self.arguments.push(value.bytes());
        self
    }

    /// The next argument: the address of a buffer.
    #[must_use]
    pub fn buffer(self, memory: &Memory, id: BufferId) -> Self {
        self.argument(memory.address(id, 0))
    }

    /// The schedule: the order in which blocks, warps and lanes run is drawn from this. 0 is the plain one,
    /// in which lanes stay together as far as they can; it gives the counts to compare.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Threads of the host. With more than one the schedule depends on the host as well.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.clamp(1, 1024);
        self
    }

    /// Blocks that take turns on one thread of the host: all of them, for a grid whose blocks wait for each
    /// other. 0 is what the schedule draws.
    #[must_use]
    pub fn resident(mut self, blocks: usize) -> Self {
        self.resident = blocks;
        self
    }

    /// Lane-instructions after which the launch ends with a fault. It is looked at after each turn of a
    /// block, so a launch may run a little further.
    #[must_use]
    pub fn budget(mut self, lane_instructions: u64) -> Self {
        self.budget = lane_instructions;
        self
    }

    /// Whether races are looked for (they are, if this is not called). Bounds, alignment, validity and
    /// barriers are always checked.
    #[must_use]
    pub fn checks(mut self, checks: bool) -> Self {
        self.checks = checks;
        self
    }

    /// Whether `.approx` and `.ftz` may run. They give no bits to rely on.
    #[must_use]
    pub fn relaxed(mut self, relaxed: bool) -> Self {
        self.relaxed = relaxed;
        self
    }

    /// Runs the grid to its end. After a fault, memory holds what was written before it.
    ///
    /// # Errors
    /// [`RunError::Setup`] where the launch does not fit the kernel, [`RunError::Fault`] where the kernel
    /// does what it must not.
    pub fn run(&self, memory: &mut Memory) -> Result<Report, RunError> {
        let kernel = self.entry()?;
        self.check_shape(kernel)?;
        let functions = self.reachable(kernel);
        self.check_relaxed(&functions)?;
        let shared = SharedLayout::new(&self.module.code, functions.into_iter(), self.shared);
        if u64::from(shared.bytes) > MOST_SHARED {
            let message =
                format!("{} bytes of shared memory: a block has {MOST_SHARED}", shared.bytes);
            return Err(self.shape(message).into());
        }
        let params = self.params(kernel)?;
        let variables = self.variables(memory);
        let grid = Grid {
            module: self.module,
            code: &self.module.code,
            kernel,
            memory,
            variables,
            params,
            grid: self.grid,
            block: self.block,
            dynamic_shared: self.shared,
            shared,
            seed: self.seed,
            resident: self.resident,
            budget: self.budget,
            spent: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            races: self.checks.then(|| GlobalRaces::new(memory)),
            locks: Grid::locks(),
            next_block: AtomicU64::new(0),
        };
        run(&grid, self.threads).map_err(RunError::Fault)
    }

    fn entry(&self) -> Result<&'a Function, SetupError> {
        self.module.entry(&self.kernel).ok_or_else(|| SetupError::UnknownKernel {
            name: self.kernel.clone(),
            known: self.module.kernels().map(|kernel| kernel.name).collect(),
        })
    }

    fn shape(&self, message: String) -> SetupError {
        SetupError::Shape { kernel: self.kernel.clone(), message }
    }

    fn check_shape(&self, kernel: &Function) -> Result<(), SetupError> {
        let product =
            |extents: [u32; 3]| extents.iter().try_fold(1_u64, |n, &e| n.checked_mul(e.into()));
        let [x, y, z] = self.grid;
        let threads = product(self.block).unwrap_or(u64::MAX);
        if product(self.grid).is_none_or(|blocks| blocks == 0)
            || x > i32::MAX as u32
            || y > 65535
            || z > 65535
        {
            return Err(self.shape(format!("a grid of {x} x {y} x {z} blocks")));
        }
        if threads == 0 || threads > MOST_THREADS {
            let [x, y, z] = self.block;
            return Err(
                self.shape(format!("a block of {x} x {y} x {z} threads: 1 to {MOST_THREADS}"))
            );
        }
        if u64::from(self.shared) > MOST_SHARED {
            return Err(self.shape(format!(
                "{} bytes of shared memory: a block has {MOST_SHARED}",
                self.shared
            )));
        }
        if kernel.required_block.is_some_and(|required| required != self.block) {
            let [x, y, z] = kernel.required_block.unwrap_or(self.block);
            return Err(self.shape(format!("it requires blocks of {x} x {y} x {z} threads")));
        }
        match kernel.largest_block {
            Some(most) if threads > most => {
                Err(self.shape(format!("{threads} threads in a block: at most {most}")))
            }
            _ => Ok(()),
        }
    }

    /// The kernel and all functions that it may call.
    fn reachable(&self, kernel: &'a Function) -> Vec<&'a Function> {
        let code: &Code = &self.module.code;
        let mut seen = vec![false; code.functions.len()];
        let mut found = vec![kernel];
        let mut next = 0;
        while let Some(function) = found.get(next).copied() {
            next += 1;
            for instruction in &code.instructions[function.start as usize..function.end as usize] {
                if let Action::Call(call) = &instruction.action
                    && !std::mem::replace(&mut seen[call.function as usize], true)
                {
                    found.push(&code.functions[call.function as usize]);
                }
            }
        }
        found
    }

    fn check_relaxed(&self, functions: &[&Function]) -> Result<(), SetupError> {
        let mut all = functions.iter().flat_map(|function| function.start..function.end);
        match all.find(|&at| self.module.code.notes[at as usize].relaxed) {
            Some(at) if !self.relaxed => Err(SetupError::Relaxed {
                kernel: self.kernel.clone(),
                line: self.module.line(at),
                instruction: self.module.instruction_text(at),
            }),
            _ => Ok(()),
        }
    }

    fn params(&self, kernel: &Function) -> Result<Vec<u8>, SetupError> {
        if kernel.params.len() != self.arguments.len() {
            return Err(SetupError::ParameterCount {
                kernel: self.kernel.clone(),
                expected: kernel.params.len(),
                found: self.arguments.len(),
            });
        }
        let mut params = Vec::new();
        for (slot, bytes) in kernel.params.iter().zip(&self.arguments) {
            if slot.bytes as usize != bytes.len() {
                return Err(SetupError::ParameterSize {
                    kernel: self.kernel.clone(),
                    parameter: slot.name.clone(),
                    expected: slot.bytes,
                    found: bytes.len(),
                });
            }
            params.resize(slot.offset as usize, 0);
            params.extend_from_slice(bytes);
        }
        Ok(params)
    }

    /// Makes the module's variables buffers, once for each memory, and gives their addresses.
    fn variables(&self, memory: &mut Memory) -> Vec<u64> {
        let number = self.module.number;
        let known = |memory: &Memory, name: &str| {
            memory
                .buffers
                .iter()
                .position(|buffer| buffer.module == Some(number) && buffer.name == name)
                .map(BufferId)
        };
        let variables = &self.module.code.variables;
        let mut fresh = vec![false; variables.len()];
        let mut ids = Vec::new();
        for (variable, fresh) in variables.iter().zip(&mut fresh) {
            ids.push(known(memory, &variable.name).unwrap_or_else(|| {
                *fresh = true;
                let id =
                    memory.add(&variable.name, variable.bytes.len() as u64, 0, !variable.constant);
                memory.buffers[id.0].module = Some(number);
                id
            }));
        }
        for ((variable, &id), _) in
            variables.iter().zip(&ids).zip(&fresh).filter(|(_, fresh)| **fresh)
        {
            memory.write(id, 0, &variable.bytes);
            for (at, datum) in &variable.links {
                let Datum::Address { symbol, offset } = datum else { continue };
                let target =
                    variables.iter().position(|variable| variable.name == *symbol).map(|n| ids[n]);
                let address =
                    target.map_or(0, |id| memory.address(id, 0)).wrapping_add_signed(*offset);
                memory.write(id, *at as u64, &address.to_le_bytes());
            }
        }
        ids.iter().map(|&id| memory.address(id, 0)).collect()
    }
}
