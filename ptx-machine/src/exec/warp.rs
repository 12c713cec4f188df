//! A warp: 32 lanes, each with its own place in the text.

use super::grid::Grid;
use super::trouble::lanes;
use crate::code::{
    Constant, Function, LOCAL_WINDOW, LaneMask, NONE, PARAM_WINDOW, Row, Special, WARP,
};

/// A chain of calls. Lanes run together only in the same chain, where frames lie at the same places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path {
    pub parent: u32,
    /// The call that opened it.
    pub call: u32,
    pub function: u32,
    pub row_base: u32,
    pub predicate_base: u32,
    pub frame_base: u32,
    pub depth: u32,
}

/// Where a block stands in its grid, for special registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockPlace {
    pub number: u64,
    pub at: [u32; 3],
}

pub(super) struct Warp {
    pub number: u32,
    /// Lanes that exist.
    pub lanes: u32,
    /// Lanes that have not exited.
    pub live: u32,
    /// Lanes that wait for the others of their mask.
    pub meeting: u32,
    /// Lanes that wait at a barrier of the block.
    pub blocked: u32,
    pub pcs: [u32; WARP],
    pub lane_paths: [u32; WARP],
    pub paths: Vec<Path>,
    /// The mask each meeting lane waits with, or the barrier each blocked lane waits at.
    pub waits_for: [u32; WARP],
    /// Strong accesses of this turn.
    pub strong_accesses: u32,
    /// The instruction at hand.
    pub here: u32,
    pub rows: Vec<Row>,
    pub predicates: Vec<u32>,
    pub local: Vec<Vec<u8>>,
}

impl Warp {
    pub fn new(grid: &Grid, place: BlockPlace, number: u32) -> Self {
        let first = number * WARP as u32;
        let count = (grid.threads() - first).min(WARP as u32);
        let lanes = if count == 32 { u32::MAX } else { (1 << count) - 1 };
        let kernel =
            grid.code.functions.iter().position(|f| std::ptr::eq(f, grid.kernel)).unwrap_or(0);
        let path = Path {
            parent: NONE,
            call: NONE,
            function: u32::try_from(kernel).unwrap_or(0),
            row_base: 0,
            predicate_base: 0,
            frame_base: 0,
            depth: 0,
        };
        let mut warp = Self {
            number,
            lanes,
            live: lanes,
            meeting: 0,
            blocked: 0,
            pcs: [grid.kernel.start; WARP],
            lane_paths: [0; WARP],
            paths: vec![path],
            waits_for: [0; WARP],
            strong_accesses: 0,
            here: grid.kernel.start,
            rows: Vec::new(),
            predicates: Vec::new(),
            local: vec![Vec::new(); WARP],
        };
        warp.open_frame(grid, place, &path, lanes);
        warp
    }

    pub fn runnable(&self) -> u32 {
        self.live & !self.meeting & !self.blocked
    }

    pub fn path(&self, lane: usize) -> Path {
        self.paths[self.lane_paths[lane] as usize]
    }

    /// Makes room for a call and fills in the constants of its lanes.
    pub fn open_frame(&mut self, grid: &Grid, place: BlockPlace, path: &Path, mask: u32) {
        let function = &grid.code.functions[path.function as usize];
        let rows = (path.row_base + function.rows) as usize;
        if self.rows.len() < rows {
            self.rows.resize(rows, [0; WARP]);
        }
        let predicates = (path.predicate_base + function.predicates) as usize;
        if self.predicates.len() < predicates {
            self.predicates.resize(predicates, 0);
        }
        let bytes = (path.frame_base + function.frame) as usize;
        for lane in lanes(mask) {
            if self.local[lane].len() < bytes {
                self.local[lane].resize(bytes, 0);
            }
        }
        self.fill_constants(grid, place, function, path, mask);
    }

    fn fill_constants(
        &mut self,
        grid: &Grid,
        place: BlockPlace,
        function: &Function,
        path: &Path,
        mask: u32,
    ) {
        for &(row, constant) in &function.constants {
            let row = (path.row_base + row) as usize;
            if tells_lanes_apart(constant) {
                for lane in lanes(mask) {
                    self.rows[row][lane] = self.constant(grid, place, path, constant, lane);
                }
            } else {
                let value = self.constant(grid, place, path, constant, 0);
                lanes(mask).for_each(|lane| self.rows[row][lane] = value);
            }
        }
        for &(row, value) in &function.predicate_constants {
            let slot = &mut self.predicates[(path.predicate_base + row) as usize];
            *slot = if value { *slot | mask } else { *slot & !mask };
        }
    }

    fn constant(
        &self,
        grid: &Grid,
        place: BlockPlace,
        path: &Path,
        constant: Constant,
        lane: usize,
    ) -> u64 {
        match constant {
            Constant::Bits(bits) => bits,
            Constant::Special(special) => self.special(grid, place, special, lane).into(),
            Constant::Local(offset) => (path.frame_base + offset).into(),
            Constant::Frame(offset) => LOCAL_WINDOW + u64::from(path.frame_base + offset),
            Constant::Shared(number, offset) => {
                u64::from(grid.shared.offsets[number as usize]).wrapping_add_signed(offset)
            }
            Constant::DynamicShared(offset) => {
                u64::from(grid.shared.dynamic).wrapping_add_signed(offset)
            }
            Constant::Variable(number, offset) => {
                grid.variables[number as usize].wrapping_add_signed(offset)
            }
            Constant::KernelParam(offset) => PARAM_WINDOW + u64::from(offset),
        }
    }

    fn special(&self, grid: &Grid, place: BlockPlace, special: Special, lane: usize) -> u32 {
        let thread = self.number * WARP as u32 + lane as u32;
        let [x, y, _] = grid.block;
        let shift = lane as u32;
        match special {
            Special::Thread(0) => thread % x,
            Special::Thread(1) => thread / x % y,
            Special::Thread(_) => thread / x / y,
            Special::Block(axis) => place.at[axis],
            Special::BlockExtent(axis) => grid.block[axis],
            Special::GridExtent(axis) => grid.grid[axis],
            Special::Lane => shift,
            Special::Warp => self.number,
            Special::Warps => grid.threads().div_ceil(WARP as u32),
            Special::LaneMask(kind) => match kind {
                LaneMask::Equal => 1 << shift,
                LaneMask::Less => (1 << shift) - 1,
                LaneMask::LessOrEqual => u32::MAX >> (31 - shift),
                LaneMask::Greater => (u32::MAX - 1) << shift,
                LaneMask::GreaterOrEqual => u32::MAX << shift,
            },
            Special::DynamicSharedSize => grid.dynamic_shared,
            Special::TotalSharedSize => grid.shared.bytes,
            Special::Zero => 0,
            Special::One => 1,
        }
    }

    /// Writes a row in the lanes of a mask.
    pub fn write(&mut self, row: u32, base: u32, mask: u32, values: &Row) {
        if row == NONE {
            return;
        }
        let target = &mut self.rows[(base + row) as usize];
        if mask == u32::MAX {
            *target = *values;
        } else {
            for lane in lanes(mask) {
                target[lane] = values[lane];
            }
        }
    }

    pub fn write_predicate(&mut self, row: u32, base: u32, mask: u32, values: u32) {
        if row != NONE {
            let slot = &mut self.predicates[(base + row) as usize];
            *slot = *slot & !mask | values & mask;
        }
    }

    /// Sets the place of the lanes of a mask.
    pub fn place_at(&mut self, mask: u32, pc: u32) {
        for lane in lanes(mask) {
            self.pcs[lane] = pc;
        }
    }
}

/// Whether it differs between the lanes of a warp.
fn tells_lanes_apart(constant: Constant) -> bool {
    let Constant::Special(special) = constant else { return false };
    matches!(special, Special::Thread(_) | Special::Lane | Special::LaneMask(_))
}
