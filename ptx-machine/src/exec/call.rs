//! Calls, returns, exits.

use super::common::Common;
use super::grid::Grid;
use super::step::{Group, Next};
use super::trouble::{Stop, lanes, stop};
use super::warp::{Path, Warp};
use crate::code::{Action, Call, Pass};
use crate::fault::FaultKind;

/// Calls may nest so deep.
const DEEPEST: u32 = 64;
/// Bytes of local memory of a lane, as devices have it.
const LOCAL_LIMIT: u32 = 512 << 10;
/// Rows of a warp over all nested calls.
const ROW_LIMIT: u32 = 1 << 18;

impl Warp {
    pub fn call(
        &mut self,
        grid: &Grid,
        common: &Common,
        call: &Call,
        group: Group,
        path: &Path,
        active: u32,
    ) -> Result<Next, Stop> {
        let child = self.child_path(grid, group, path, call.function);
        let opened = self.paths[child as usize];
        let caller = &grid.code.functions[path.function as usize];
        let callee = &grid.code.functions[call.function as usize];
        let too_deep = opened.depth > DEEPEST
            || opened.frame_base.saturating_add(callee.frame) > LOCAL_LIMIT
            || opened.row_base.saturating_add(callee.rows) > ROW_LIMIT
            || path.row_base.saturating_add(caller.rows) > ROW_LIMIT;
        if too_deep {
            return Err(stop(active.trailing_zeros(), FaultKind::CallDepth { limit: DEEPEST }));
        }
        self.open_frame(grid, common.place, &opened, active);
        for pass in &call.arguments {
            self.hand_over(pass, path, &opened, active, true);
        }
        self.place_at(group.mask & !active, group.pc + 1);
        for lane in lanes(active) {
            self.pcs[lane] = callee.start;
            self.lane_paths[lane] = child;
        }
        Ok(Next::Regroup)
    }

    /// The path of a call, the same for all lanes that make it from the same place.
    fn child_path(&mut self, grid: &Grid, group: Group, path: &Path, function: u32) -> u32 {
        let known = self.paths.iter().position(|p| p.parent == group.path && p.call == group.pc);
        let number = known.unwrap_or_else(|| {
            let caller = &grid.code.functions[path.function as usize];
            self.paths.push(Path {
                parent: group.path,
                call: group.pc,
                function,
                row_base: path.row_base + caller.rows,
                predicate_base: path.predicate_base + caller.predicates,
                frame_base: path.frame_base + caller.frame,
                depth: path.depth + 1,
            });
            self.paths.len() - 1
        });
        u32::try_from(number).unwrap_or(0)
    }

    fn hand_over(&mut self, pass: &Pass, caller: &Path, callee: &Path, mask: u32, inwards: bool) {
        match *pass {
            Pass::Memory { caller: outer, callee: inner, bytes } => {
                let outer = (caller.frame_base + outer) as usize;
                let inner = (callee.frame_base + inner) as usize;
                let (from, to) = if inwards { (outer, inner) } else { (inner, outer) };
                for lane in lanes(mask) {
                    self.local[lane].copy_within(from..from + bytes as usize, to);
                }
            }
            Pass::Register { caller: outer, callee: inner } if inwards => {
                let values = *self.row(caller.row_base, outer);
                self.write(inner, callee.row_base, mask, &values);
            }
            Pass::Register { caller: outer, callee: inner } => {
                let values = *self.row(callee.row_base, inner);
                self.write(outer, caller.row_base, mask, &values);
            }
        }
    }

    pub fn return_from(
        &mut self,
        grid: &Grid,
        common: &mut Common,
        group: Group,
        path: &Path,
        active: u32,
    ) -> Result<Next, Stop> {
        if path.depth == 0 {
            return self.exit(grid, common, group, active);
        }
        let caller = self.paths[path.parent as usize];
        if let Some(Action::Call(call)) =
            grid.code.instructions.get(path.call as usize).map(|i| &i.action)
        {
            for pass in &call.returns {
                self.hand_over(pass, &caller, path, active, false);
            }
        }
        self.place_at(group.mask & !active, group.pc + 1);
        for lane in lanes(active) {
            self.pcs[lane] = path.call + 1;
            self.lane_paths[lane] = path.parent;
        }
        Ok(Next::Regroup)
    }

    pub fn exit(
        &mut self,
        grid: &Grid,
        common: &mut Common,
        group: Group,
        active: u32,
    ) -> Result<Next, Stop> {
        self.place_at(group.mask & !active, group.pc + 1);
        self.place_at(active, group.pc);
        self.live &= !active;
        common.live -= active.count_ones();
        common.arrivals = true;
        // Lanes that waited for those that left wait no longer.
        self.meet_without(grid, common)?;
        Ok(Next::Regroup)
    }
}
