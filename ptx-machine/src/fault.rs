//! What can go wrong in a run.

use std::fmt;

/// Why a launch gave no report.
#[derive(Clone, Debug, PartialEq)]
pub enum RunError {
    /// The launch itself is wrong; no instruction ran.
    Setup(SetupError),
    /// The kernel did something that it must not.
    Fault(Box<Fault>),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setup(error) => error.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

impl From<SetupError> for RunError {
    fn from(error: SetupError) -> Self {
        Self::Setup(error)
    }
}

/// A launch that cannot start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupError {
    /// The module has no such entry.
    UnknownKernel {
        /// The name asked for.
        name: String,
        /// The entries there are.
        known: Vec<String>,
    },
    /// Too few or too many parameters.
    ParameterCount {
        /// The kernel.
        kernel: String,
        /// What it declares.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A parameter of the wrong size.
    ParameterSize {
        /// The kernel.
        kernel: String,
        /// The parameter's name in the text.
        parameter: String,
        /// Bytes that it declares.
        expected: u32,
        /// Bytes that were given.
        found: usize,
    },
    /// A grid, a block or its shared memory that no device takes, or that the kernel forbids.
    Shape {
        /// The kernel.
        kernel: String,
        /// What is wrong.
        message: String,
    },
    /// `.approx` or `.ftz`, which give no bits to rely on, and were not asked for.
    Relaxed {
        /// The kernel.
        kernel: String,
        /// The line of the instruction.
        line: u32,
        /// The instruction as written.
        instruction: String,
    },
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKernel { name, known } => {
                write!(f, "no kernel `{name}` in this module; it has {}", known.join(", "))
            }
            Self::ParameterCount { kernel, expected, found } => {
                write!(f, "kernel `{kernel}` has {expected} parameters, {found} were given")
            }
            Self::ParameterSize { kernel, parameter, expected, found } => {
                write!(
                    f,
                    "kernel `{kernel}`: parameter `{parameter}` has {expected} bytes, {found} were given"
                )
            }
            Self::Shape { kernel, message } => write!(f, "kernel `{kernel}`: {message}"),
            Self::Relaxed { kernel, line, instruction } => write!(
                f,
                "kernel `{kernel}`, line {line}: `{instruction}` is approximate; Launch::relaxed(true) runs it"
            ),
        }
    }
}

impl std::error::Error for SetupError {}

/// A fault of the kernel: where, who, what.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The kernel.
    pub kernel: String,
    /// The line of the instruction.
    pub line: u32,
    /// The instruction as written.
    pub instruction: String,
    /// The block, linear in x, then y, then z.
    pub block: u64,
    /// The warp in its block.
    pub warp: u32,
    /// The lane in its warp.
    pub lane: u32,
    /// What happened.
    pub kind: FaultKind,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel, line, instruction, block, warp, lane, kind } = self;
        write!(
            f,
            "kernel `{kernel}`, line {line}, `{instruction}`, block {block}, warp {warp}, lane {lane}: {kind}"
        )
    }
}

impl std::error::Error for Fault {}

/// Reading or writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// A load.
    Read,
    /// A store.
    Write,
    /// A read-modify-write.
    Atomic,
}

impl fmt::Display for AccessKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Atomic => "atomic",
        })
    }
}

/// Some bytes, as an error names them: `params+4096`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The buffer, or `shared`, `local`, `parameters`, `no buffer`.
    pub name: String,
    /// Bytes from its start.
    pub offset: i128,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:+}", self.name, self.offset)
    }
}

/// The other side of a race.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// What it did.
    pub access: AccessKind,
    /// Its line.
    pub line: u32,
    /// Its block.
    pub block: u64,
    /// Its thread in the block; None where several threads did the same.
    pub thread: Option<u32>,
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {}, block {}, ", self.access, self.line, self.block)?;
        match self.thread {
            Some(thread) => write!(f, "thread {thread}"),
            None => write!(f, "several threads"),
        }
    }
}

/// What a kernel did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FaultKind {
    /// Bytes outside of every buffer.
    OutOfBounds {
        /// Read, write or atomic.
        access: AccessKind,
        /// The bytes, by the nearest buffer before them.
        place: Place,
        /// How many.
        size: u32,
        /// The length of that buffer.
        length: u64,
    },
    /// An address that is not a multiple of the access's size.
    Misaligned {
        /// The bytes.
        place: Place,
        /// What the address must be a multiple of.
        size: u32,
    },
    /// A write to a buffer or a part of it that the host protects.
    Protected {
        /// The bytes.
        place: Place,
        /// How many.
        size: u32,
    },
    /// A read of bytes that nobody wrote.
    Uninitialised {
        /// The bytes.
        place: Place,
        /// How many.
        size: u32,
    },
    /// Two lanes at one byte, one of them writing, and nothing that orders them.
    Race {
        /// The bytes.
        place: Place,
        /// What this lane did.
        access: AccessKind,
        /// Who touched them before.
        rival: Rival,
    },
    /// A shuffle that takes its value from a lane that is not there.
    AbsentLane {
        /// The lane it names.
        source: u32,
    },
    /// A mask without the lane that uses it, or lanes of one mask that meet with different ones.
    BadMask {
        /// The mask.
        mask: u32,
    },
    /// A barrier that all threads of a warp must reach together, reached by some.
    DivergentBarrier {
        /// The lanes that reached it.
        arrived: u32,
        /// The lanes of the warp.
        expected: u32,
    },
    /// Barrier 16, or a number of threads that is no multiple of 32.
    BadBarrier {
        /// What is wrong.
        message: String,
    },
    /// Nobody can go on: who waits where.
    Deadlock {
        /// One line each.
        waiting: Vec<String>,
    },
    /// Calls nested too deep.
    CallDepth {
        /// The limit.
        limit: u32,
    },
    /// An index beyond a branch table.
    BranchIndex {
        /// The index.
        index: u32,
        /// The length of the table.
        length: usize,
    },
    /// `trap` was reached.
    Trap,
    /// The launch's budget of lane-instructions is spent.
    Budget {
        /// The budget.
        limit: u64,
    },
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { access, place, size, length } => {
                write!(f, "{access} out of bounds: {place}: {size} bytes, it has {length}")
            }
            Self::Misaligned { place, size } => {
                write!(f, "misaligned: {place} is no multiple of {size}")
            }
            Self::Protected { place, size } => {
                write!(f, "write to protected memory: {place}: {size} bytes")
            }
            Self::Uninitialised { place, size } => {
                write!(f, "read of memory that was never written: {place}: {size} bytes")
            }
            Self::Race { place, access, rival } => {
                write!(f, "race at {place}: {access} against the {rival}")
            }
            Self::AbsentLane { source } => {
                write!(f, "shuffle from lane {source}, which does not take part")
            }
            Self::BadMask { mask } => {
                write!(f, "the mask {mask:#010x} does not fit the lanes that use it")
            }
            Self::DivergentBarrier { arrived, expected } => {
                f.write_str("barrier in divergent flow: ")?;
                write!(f, "lanes {arrived:#010x} of {expected:#010x} reached it")
            }
            Self::BadBarrier { message } => f.write_str(message),
            Self::Deadlock { waiting } => write!(f, "deadlock: {}", waiting.join("; ")),
            Self::CallDepth { limit } => write!(f, "calls nested more than {limit} deep"),
            Self::BranchIndex { index, length } => {
                write!(f, "branch table index {index}, the table has {length} labels")
            }
            Self::Trap => write!(f, "trap reached"),
            Self::Budget { limit } => write!(f, "the budget of {limit} lane-instructions is spent"),
        }
    }
}
