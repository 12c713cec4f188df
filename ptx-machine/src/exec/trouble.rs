//! A fault before it is known where, and the lanes of a mask.

use crate::fault::FaultKind;

/// A fault, before it is known where: the lane and what it did.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub lane: u32,
    pub kind: FaultKind,
}

pub(crate) type Stop = Box<Trouble>;

pub(crate) fn stop(lane: u32, kind: FaultKind) -> Stop {
    Box::new(Trouble { lane, kind })
}

/// The lanes of a mask, lowest first.
pub(crate) fn lanes(mask: u32) -> impl Iterator<Item = usize> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        (rest != 0).then(|| {
            let lane = rest.trailing_zeros();
            rest &= rest - 1;
            lane as usize
        })
    })
}
