//! One tensor's slices: [`Reading`] for a pass over the norm, [`Writing`] for the rest.

use presam::{Group, Planes, PlanesMut};

/// To be read.
pub(crate) struct Reading<'a, R> {
    pub group: Group<R>,
    pub params: &'a [R],
    pub grads: &'a [R],
    pub memory: Planes<'a, R>,
    pub inputs: Planes<'a, R>,
    pub state: Planes<'a, R>,
}

/// To be read and written.
pub(crate) struct Writing<'a, R> {
    pub group: Group<R>,
    pub params: &'a mut [R],
    pub grads: &'a [R],
    pub backup: &'a mut [R],
    pub memory: PlanesMut<'a, R>,
    pub inputs: Planes<'a, R>,
    pub state: PlanesMut<'a, R>,
}
