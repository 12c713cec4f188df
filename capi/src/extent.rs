//! [`Extent`]: where a caller's memory lies, as numbers: null, alignment, length, and what may not overlap. Safe:
//! nothing is read.

use crate::status::{Argument, Code, Fault, check};

/// Planes of a tensor, itself, its group, the state and a norm.
const MOST_EXTENTS: usize = 20;

/// Memory that a call reads or writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    start: usize,
    bytes: usize,
    writes: bool,
    argument: Argument,
}

impl Extent {
    const NOTHING: Self = Self { start: 0, bytes: 0, writes: false, argument: Argument::None };

    /// `count` values at `at`.
    ///
    /// # Errors
    /// An address that is null or not aligned; more than there is memory.
    pub(crate) fn of<T>(
        at: *const T,
        count: usize,
        writes: bool,
        argument: Argument,
    ) -> Result<Self, Fault> {
        let start = at.addr();
        check(!at.is_null(), Code::Null, argument)?;
        check(start.is_multiple_of(align_of::<T>()), Code::Misaligned, argument)?;
        let bytes = count.checked_mul(size_of::<T>()).filter(|&bytes| bytes <= isize::MAX as usize);
        let bytes = bytes.filter(|&bytes| start.checked_add(bytes).is_some());
        let bytes = bytes.ok_or(Fault::new(Code::TooLong, argument))?;
        Ok(Self { start, bytes, writes, argument })
    }

    /// Neither may be written where they share a byte.
    pub(crate) fn check_apart(&self, other: &Self) -> Result<(), Fault> {
        let end = |extent: &Self| extent.start.saturating_add(extent.bytes);
        // An empty one shares none.
        let apart = self.start.max(other.start) >= end(self).min(end(other));
        check(apart || !(self.writes || other.writes), Code::Overlap, other.argument)
    }
}

/// All that one tensor lies in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extents {
    list: [Extent; MOST_EXTENTS],
    len: usize,
}

impl Extents {
    pub(crate) fn of(extents: &[Extent]) -> Result<Self, Fault> {
        let mut list = Self { list: [Extent::NOTHING; MOST_EXTENTS], len: 0 };
        extents.iter().try_for_each(|extent| list.add(Ok(*extent)))?;
        Ok(list)
    }

    /// Adds one that is apart from all before it.
    pub(crate) fn add(&mut self, extent: Result<Extent, Fault>) -> Result<(), Fault> {
        let extent = extent?;
        self.iter().try_for_each(|before| before.check_apart(&extent))?;
        // More than there are kinds of is refused as one that overlaps.
        let slot = self.list.get_mut(self.len).ok_or(Fault::new(Code::Overlap, extent.argument))?;
        *slot = extent;
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    fn iter(&self) -> impl Iterator<Item = &Extent> {
        self.list.iter().take(self.len)
    }

    /// No plane lies in one of `others`.
    pub(crate) fn check_outside(&self, others: &[Extent]) -> Result<(), Fault> {
        let mut pairs = self
            .iter()
            .filter(is_its_own)
            .flat_map(|plane| others.iter().map(move |other| other.check_apart(plane)));
        pairs.find(Result::is_err).unwrap_or(Ok(()))
    }

    /// Whether two tensors lie apart.
    pub(crate) fn check_apart(&self, other: &Self) -> Result<(), Fault> {
        let mut pairs = self.iter().filter(is_its_own).flat_map(|one| {
            other.iter().filter(is_its_own).map(move |other| one.check_apart(other))
        });
        pairs.find(Result::is_err).unwrap_or(Ok(()))
    }
}

/// A plane or the group, which many may share since nobody writes it; neither the state nor the tensor itself.
fn is_its_own(extent: &&Extent) -> bool {
    extent.argument as u32 >= Argument::Params as u32
}

/// Whether two structs of one call lie apart.
pub(crate) fn check_apart<A, B>(
    (a, of_a): (*const A, Argument),
    (b, of_b): (*const B, Argument),
) -> Result<(), Fault> {
    Extent::of(a, 1, true, of_a)?.check_apart(&Extent::of(b, 1, true, of_b)?)
}
