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

#[inline]
fn check_list<R>(
    name: &'static str,
    count: usize,
    planes: Planes<'_, R>,
    len: usize,
) -> Result<(), Error> {
    check_planes(name, count, planes.len())?;
    for plane in planes.iter() {
        check_length(name, len, plane.len())?;
    }
    Ok(())
}

pub(super) fn group_of<R>(groups: &[Group<R>], index: usize) -> Result<&Group<R>, Error> {
    groups.get(index).ok_or(Error::UnknownGroup { expected: groups.len(), found: index })
}

/// The segments of a step's first visit, as their marks have them: every visit of the step must show the same.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    step: u32,
    segments: usize,
}

impl Seen {
    /// Before the first visit of a step.
    pub const fn nothing(step: u32) -> Self {
        Self { step, segments: 0 }
    }

    /// In the first visit: the segment's place goes into its mark, unless that still has a backup to lead to.
    #[inline]
    pub fn add<R>(&mut self, segment: &mut SegmentMut<'_, R>) {
        if !segment.mark.is_perturbed() {
            *segment.mark = self.mark(self.segments, segment);
        }
        self.segments = self.segments.saturating_add(1);
    }

    fn mark<R>(self, place: usize, segment: &SegmentMut<'_, R>) -> Mark {
        Mark::at(self.step, place, segment.group, segment.params.len())
    }

    /// A later visit of the same step.
    pub const fn again(self) -> Again {
        Again { first: self, place: 0 }
    }
}

/// A later visit of a step, compared with the first.
pub(super) struct Again {
    first: Seen,
    place: usize,
}

impl Again {
    /// That this segment had this place.
    #[inline]
    pub fn check<R>(&mut self, segment: &SegmentMut<'_, R>) -> Result<(), Error> {
        let (first, place) = (self.first, self.place);
        self.place = place.saturating_add(1);
        let same = place < first.segments && *segment.mark == first.mark(place, segment);
        if same { Ok(()) } else { Err(Error::Visit { segment: place }) }
    }

    /// That none is missing.
    pub const fn end(self) -> Result<(), Error> {
        let segment = self.place;
        if segment == self.first.segments { Ok(()) } else { Err(Error::Visit { segment }) }
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

    #[inline]
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
            *segment.mark = segment.mark.at_rest();
            done(number);
        }
        Ok(())
    })
}
