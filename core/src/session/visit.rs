//! What every visit of a step checks, and the visit that restores.

use super::mark::Mark;
use super::segment::{SegmentMut, Segments};
use crate::cpu::Cpu;
use crate::error::{Error, check_length};
use crate::group::Group;
use crate::planes::{Planes, check_planes};
use crate::real::Real;

/// How many planes a variant and a base optimizer take.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    pub memory: usize,
    pub inputs: usize,
    pub state: usize,
}

impl Counts {
    /// The segment's group; every plane there, and as long as `params`.
    pub fn check<'g, R>(
        self,
        segment: &SegmentMut<'_, R>,
        groups: &'g [Group<R>],
    ) -> Result<&'g Group<R>, Error> {
        let group = group_of(groups, segment.group)?;
        let len = segment.params.len();
        check_length("grads", len, segment.grads.len())?;
        check_length("perturbed_grads", len, segment.perturbed_grads.len())?;
        check_list("memory", self.memory, segment.memory.read(), len)?;
        check_list("inputs", self.inputs, segment.inputs, len)?;
        check_list("state", self.state, segment.state.read(), len)?;
        Ok(group)
    }

    /// Whether a group that is not perturbed still renews its memory: its terms count in the norm.
    pub fn remembers(self, group: &Group<impl Real>) -> bool {
        self.memory > 0 && group.counts_in_norm()
    }
}

fn check_list<R>(
    name: &'static str,
    count: usize,
    planes: Planes<'_, R>,
    len: usize,
) -> Result<(), Error> {
    check_planes(name, count, planes.len())?;
    planes.iter().try_for_each(|plane| check_length(name, len, plane.len()))
}

pub(super) fn group_of<R>(groups: &[Group<R>], index: usize) -> Result<&Group<R>, Error> {
    groups.get(index).ok_or(Error::UnknownGroup { expected: groups.len(), found: index })
}

/// What a visit showed: every visit of a step must show the same.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Seen {
    segments: usize,
    shapes: usize,
}

impl Seen {
    pub const NOTHING: Self = Self { segments: 0, shapes: 0 };

    /// In order: a segment of another length or group, or the same in another order, is another.
    pub fn add<R>(&mut self, segment: &SegmentMut<'_, R>) {
        self.segments = self.segments.wrapping_add(1);
        for word in [segment.params.len(), segment.group] {
            // Each step is a bijection of the sum so far: one differing word can never be undone.
            self.shapes = (self.shapes.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9);
        }
    }

    pub fn check(self, now: Self) -> Result<(), Error> {
        if self == now {
            Ok(())
        } else {
            Err(Error::Visit { expected: self.segments, found: now.segments })
        }
    }
}

/// Segments found perturbed where none may be.
#[derive(Clone, Copy)]
pub(super) struct Perturbed {
    first: usize,
    count: usize,
}

impl Perturbed {
    pub const NONE: Self = Self { first: usize::MAX, count: 0 };

    pub fn add(&mut self, mark: Mark) {
        if let Some(number) = mark.number() {
            self.first = self.first.min(number);
            self.count = self.count.saturating_add(1);
        }
    }

    pub fn check(self) -> Result<(), Error> {
        let Self { first, count } = self;
        if count == 0 { Ok(()) } else { Err(Error::StillPerturbed { first, count }) }
    }
}

/// A visit whose first error is its end and its result, also where the visitor keeps it to itself.
pub(super) fn visit<R, T: Segments<R> + ?Sized>(
    model: &mut T,
    mut look: impl FnMut(SegmentMut<'_, R>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut told = Ok(());
    let visited = model.visit(&mut |segment| {
        if told.is_ok() {
            told = look(segment);
        }
        told
    });
    told.and(visited)
}

/// Every marked segment back from its backup; `done` is told its number.
pub(super) fn restore<R: Real, T: Segments<R> + ?Sized>(
    cpu: Cpu,
    model: &mut T,
    done: &mut dyn FnMut(usize),
) -> Result<(), Error> {
    model.visit(&mut |segment| {
        if let Some(number) = segment.mark.number() {
            // As much as was perturbed: shown shorter, a tensor would lose the rest.
            let (expected, found) = (segment.mark.len(), segment.params.len());
            let params = segment.params.get_mut(..expected);
            let params = params.ok_or(Error::Length { slice: "params", expected, found })?;
            let backup = segment.spare.get(..expected).unwrap_or(segment.spare);
            cpu.restore(params, backup)?;
            *segment.mark = Mark::default();
            done(number);
        }
        Ok(())
    })
}
