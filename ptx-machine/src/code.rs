//! The decoded form of a module: what the machine runs.
//!
//! A register is a row of 32 lanes, an immediate or a special register a row that is filled once, so that
//! every operand of every instruction is the number of a row. A predicate is a mask of 32 bits.

use crate::syntax::{Datum, Space, Type};

/// One register of a warp: its value in every lane.
pub(crate) type Row = [u64; 32];
/// Lanes of a warp.
pub(crate) const WARP: usize = 32;

pub(crate) type Map1 = fn(&mut Row, &Row);
pub(crate) type Map2 = fn(&mut Row, &Row, &Row);
pub(crate) type Map3 = fn(&mut Row, &Row, &Row, &Row);
pub(crate) type Test = fn(&Row, &Row) -> u32;
pub(crate) type Logic = fn(u32, u32) -> u32;

/// No row: an absent operand, a sink `_`.
pub(crate) const NONE: u32 = u32::MAX;

/// Generic addresses of shared, local and parameter space; everything below is global.
pub(crate) const SHARED_WINDOW: u64 = 1 << 56;
pub(crate) const LOCAL_WINDOW: u64 = 2 << 56;
pub(crate) const PARAM_WINDOW: u64 = 3 << 56;
/// Where the windows lie within an address.
pub(crate) const WINDOW_MASK: u64 = 0xff << 56;

#[derive(Debug)]
pub(crate) struct Code {
    pub instructions: Vec<Instruction>,
    /// What only reports need, beside each instruction.
    pub notes: Vec<Note>,
    pub functions: Vec<Function>,
    pub variables: Vec<ModuleVariable>,
    pub mnemonics: Vec<String>,
    pub shared: Vec<SharedVariable>,
}

#[derive(Debug)]
pub(crate) struct Note {
    pub line: u32,
    pub span: (usize, usize),
    pub mnemonic: u32,
    /// `.approx` or `.ftz`: run only where a launch allows it.
    pub relaxed: bool,
}

/// A `.shared` variable: a kernel gets room for those that it or a function that it calls names.
#[derive(Debug)]
pub(crate) struct SharedVariable {
    pub bytes: u32,
    pub align: u32,
}

/// A `.global` or `.const` variable of the module.
#[derive(Debug)]
pub(crate) struct ModuleVariable {
    pub name: String,
    pub bytes: Vec<u8>,
    pub links: Vec<(usize, Datum)>,
    pub constant: bool,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub name: String,
    pub entry: bool,
    pub start: u32,
    pub end: u32,
    pub rows: u32,
    pub predicates: u32,
    pub constants: Vec<(u32, Constant)>,
    pub predicate_constants: Vec<(u32, bool)>,
    /// Bytes of local memory of one call, parameters included.
    pub frame: u32,
    pub params: Vec<Slot>,
    pub required_block: Option<[u32; 3]>,
    pub largest_block: Option<u64>,
}

/// Where a parameter is handed over.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub name: String,
    pub bytes: u32,
    /// Offset in the frame (device function) or in parameter memory (entry).
    pub offset: u32,
    /// The register, for a parameter in a register.
    pub row: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Constant {
    Bits(u64),
    Special(Special),
    Local(u32),
    /// A parameter or an argument in a device function's frame, as a generic address.
    Frame(u32),
    /// A shared variable, by number.
    Shared(u32, i64),
    DynamicShared(i64),
    Variable(u32, i64),
    KernelParam(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Special {
    Thread(usize),
    Block(usize),
    BlockExtent(usize),
    GridExtent(usize),
    Lane,
    Warp,
    Warps,
    LaneMask(LaneMask),
    DynamicSharedSize,
    TotalSharedSize,
    Zero,
    One,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LaneMask {
    Equal,
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    pub predicate: u32,
    pub negated: bool,
}

#[derive(Debug)]
pub(crate) struct Instruction {
    pub guard: Guard,
    pub action: Action,
}

#[derive(Debug)]
pub(crate) enum Action {
    Map1 {
        f: Map1,
        to: u32,
        a: u32,
        flush: bool,
    },
    Map2 {
        f: Map2,
        to: u32,
        a: u32,
        b: u32,
        flush: bool,
    },
    Map3(Box<Apply3>),
    Convert(Box<Convert>),
    Compare(Box<Compare>),
    /// `bfi`.
    Insert {
        to: u32,
        a: u32,
        b: u32,
        position: u32,
        length: u32,
        bits: u32,
    },
    /// `lop3`.
    Table {
        to: u32,
        a: u32,
        b: u32,
        c: u32,
        table: u32,
    },
    Select {
        to: u32,
        a: u32,
        b: u32,
        predicate: u32,
    },
    Logic {
        f: Logic,
        to: u32,
        a: u32,
        b: u32,
    },
    Pack {
        to: u32,
        parts: [u32; 4],
        bits: u32,
    },
    Unpack {
        to: [u32; 4],
        from: u32,
        bits: u32,
    },
    Load(Box<Access>),
    Store(Box<Access>),
    Atomic(Box<Atomic>),
    Fence {
        scope: Scope,
    },
    Branch {
        target: u32,
    },
    BranchTable {
        index: u32,
        targets: Box<[u32]>,
    },
    Call(Box<Call>),
    Return,
    Exit,
    Trap,
    Warp(Box<WarpOp>),
    Barrier(Box<Barrier>),
    ActiveMask {
        to: u32,
    },
    /// A hint.
    Nothing,
}

#[derive(Debug)]
pub(crate) struct Apply3 {
    pub f: Map3,
    pub to: u32,
    pub a: u32,
    pub b: u32,
    pub c: u32,
    pub flush: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    Nearest,
    Zero,
    Down,
    Up,
}

/// One conversion, lane by lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conversion {
    pub from: Type,
    pub to: Type,
    pub rounding: Rounding,
    /// `.rni` and its like between equal float types: to an integral value.
    pub integral: bool,
    pub saturate: bool,
    pub relu: bool,
}

#[derive(Debug)]
pub(crate) struct Convert {
    pub rule: Conversion,
    pub to: u32,
    pub a: u32,
    /// The second source of a packing conversion.
    pub b: u32,
    /// Bits of the target register.
    pub keep: u64,
    pub flush: bool,
}

#[derive(Debug)]
pub(crate) struct Compare {
    pub test: Test,
    pub to: u32,
    pub to_other: u32,
    pub a: u32,
    pub b: u32,
    pub combine: Option<(Logic, u32, bool)>,
    pub flush: bool,
}

/// How far an order reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    Block,
    Device,
}

/// The order that an access asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// Takes part in synchronisation; two strong accesses do not race.
    pub strong: bool,
    pub acquire: bool,
    pub release: bool,
    pub scope: Scope,
}

#[derive(Debug)]
pub(crate) struct Access {
    pub space: Space,
    pub address: u32,
    pub offset: i64,
    /// Rows loaded or stored, `count` of them.
    pub rows: [u32; 4],
    pub count: u32,
    /// Bytes of one element.
    pub size: u32,
    /// Sign extension of a loaded element: shift left and arithmetically back by this much, then keep `mask`.
    pub sign_shift: u32,
    pub mask: u64,
    pub order: Order,
}

/// Reads the old value, gives the new one.
pub(crate) type Update = fn(old: u64, b: u64, c: u64) -> u64;

#[derive(Debug)]
pub(crate) struct Atomic {
    pub space: Space,
    pub address: u32,
    pub offset: i64,
    pub size: u32,
    pub to: u32,
    pub b: u32,
    pub c: u32,
    pub update: Update,
    /// Devices flush subnormals in f32 sums in global memory, and only there.
    pub flush: bool,
    pub order: Order,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub function: u32,
    pub arguments: Vec<Pass>,
    pub returns: Vec<Pass>,
}

/// One value handed over: between frames, or between registers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pass {
    Memory { caller: u32, callee: u32, bytes: u32 },
    Register { caller: u32, callee: u32 },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum WarpKind {
    ShuffleUp,
    ShuffleDown,
    ShuffleButterfly,
    ShuffleIndex,
    VoteAll,
    VoteAny,
    VoteUniform,
    Ballot,
    MatchAny,
    MatchAll,
    Reduce(Update),
    Sync,
}

/// An instruction at which the lanes of a mask meet.
#[derive(Debug)]
pub(crate) struct WarpOp {
    pub kind: WarpKind,
    pub to: u32,
    pub to_predicate: u32,
    pub value: u32,
    /// The source is a predicate.
    pub predicate: u32,
    pub negated: bool,
    pub b: u32,
    pub c: u32,
    pub members: u32,
    /// Bits that a comparison looks at.
    pub mask: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BarrierKind {
    Sync,
    Arrive,
    Count,
    And,
    Or,
}

#[derive(Debug)]
pub(crate) struct Barrier {
    pub kind: BarrierKind,
    pub number: u32,
    /// Row of the number of threads, or [`NONE`] for all.
    pub threads: u32,
    pub aligned: bool,
    pub to: u32,
    pub predicate: u32,
    pub negated: bool,
}
