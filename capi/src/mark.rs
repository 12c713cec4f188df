//! What a tensor's [`Mark`] says, and the way back from the ascent.

use crate::layout::Mark;
use crate::norm::refused;
use crate::status::{Argument, Code, Fault, check};
use presam::{AnyReal, Cpu};

/// [`Mark::stage`]
pub(crate) const AT_REST: u32 = 0;
pub(crate) const PERTURBED: u32 = 1;
pub(crate) const BACK: u32 = 2;

/// Whether a tensor's backup holds its parameters.
pub(crate) fn is_perturbed(mark: Mark) -> Result<bool, Fault> {
    check(mark.stage <= BACK, Code::Range, Argument::Mark)?;
    Ok(mark.stage == PERTURBED)
}

/// Back to where it was before the ascent; what is not perturbed stays.
pub(crate) fn restore<R: AnyReal>(
    params: &mut [R],
    backup: &[R],
    mark: Mark,
) -> Result<Mark, Fault> {
    if !is_perturbed(mark)? {
        return Ok(mark);
    }
    check(mark.len == params.len(), Code::LengthChanged, Argument::Len)?;
    let back = Cpu::detect().restore(params, backup);
    back.map_err(|error| refused(error, Argument::Backup))?;
    Ok(Mark { stage: BACK, ..mark })
}
