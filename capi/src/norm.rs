//! [`Norm`]: an accumulator that knows which pass of which step it belongs to.

use crate::status::{Argument, Code, Fault, check};
use presam::{AnyReal, Error, PartialNorm};

/// Which gradient is summed.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// The first, by the variant's norm.
    First = 1,
    /// The second, for its check and its clipping.
    Second = 2,
}

/// What a `presam_norm_f32` holds, aligned as that. Every bit pattern is a value.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(crate) struct Norm<R> {
    magic: u32,
    /// The state's, when this was begun.
    serial: u32,
    pass: u32,
    /// 1 while every perturbed tensor that does not count is finite too.
    finite: u32,
    pub sums: PartialNorm<R>,
}

const fn magic<R>() -> u32 {
    0x4e52_0000 | size_of::<R>() as u32
}

impl<R: AnyReal> Norm<R> {
    pub(crate) const fn begun(pass: Pass, serial: u32, first_chunk: u64) -> Self {
        let sums = PartialNorm::starting_at(first_chunk);
        Self { magic: magic::<R>(), serial, pass: pass as u32, finite: 1, sums }
    }

    /// `Ok` where it was begun for this pass and nothing was set or finished since.
    pub(crate) fn check(&self, pass: Pass, serial: u32) -> Result<(), Fault> {
        check(self.magic == magic::<R>(), Code::NotBegun, Argument::Norm)?;
        let now = self.pass == pass as u32 && self.serial == serial;
        check(now, Code::Order, Argument::Norm)
    }

    /// A tensor that does not count, but is perturbed.
    pub(crate) fn see(&mut self, finite: bool) {
        self.finite &= u32::from(finite);
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.finite == 1
    }

    /// Takes a part that begins where this one ends.
    pub(crate) fn merge(&mut self, next: &Self) -> Result<(), Fault> {
        check(self.magic == magic::<R>(), Code::NotBegun, Argument::Norm)?;
        check(next.magic == magic::<R>(), Code::NotBegun, Argument::Next)?;
        let of_one = (self.pass, self.serial) == (next.pass, next.serial);
        check(of_one, Code::Order, Argument::Next)?;
        self.sums.merge(&next.sums).map_err(|error| refused(error, Argument::Next))?;
        self.see(next.is_finite());
        Ok(())
    }
}

/// What the core refuses of an argument.
pub(crate) fn refused(error: Error, argument: Argument) -> Fault {
    let code = match error {
        Error::NotAdjacent { .. } => Code::NotAdjacent,
        Error::NotFromZero { .. } => Code::NotFromZero,
        Error::TooManyChunks => Code::TooManyChunks,
        Error::UnknownName { .. } => Code::Unknown,
        Error::UnknownKey { .. } => Code::UnknownKey,
        // Lengths and numbers of planes are checked before a call of the core: what is left are numbers.
        _ => Code::Range,
    };
    Fault::new(code, argument)
}
