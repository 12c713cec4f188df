//! [`Arrays`]: what a trainer in C keeps, flat static arrays of one length, cut by offsets.

use crate::network::PARAMS;
use core::ops::Range;

/// Planes of memory or inputs that the greediest rule takes.
pub const PLANES: usize = 2;

/// Flat arrays; tensors are ranges of them.
pub struct Arrays {
    pub weights: [f32; PARAMS],
    pub grads: [f32; PARAMS],
    pub backup: [f32; PARAMS],
    pub velocity: [f32; PARAMS],
    pub memory: [[f32; PARAMS]; PLANES],
    pub inputs: [[f32; PARAMS]; PLANES],
}

impl Arrays {
    pub const ZERO: Self = Self {
        weights: [0.0; PARAMS],
        grads: [0.0; PARAMS],
        backup: [0.0; PARAMS],
        velocity: [0.0; PARAMS],
        memory: [[0.0; PARAMS]; PLANES],
        inputs: [[0.0; PARAMS]; PLANES],
    };
}

/// The elements of a tensor.
pub fn range((offset, len): (usize, usize)) -> Range<usize> {
    offset..offset + len
}

/// The same range of the first planes, to be read.
pub fn planes<const M: usize>(planes: &[[f32; PARAMS]; PLANES], at: Range<usize>) -> [&[f32]; M] {
    core::array::from_fn(|k| &planes[k][at.clone()])
}

/// The same range of the first planes, to be written.
pub fn planes_mut<const M: usize>(
    planes: &mut [[f32; PARAMS]; PLANES],
    at: Range<usize>,
) -> [&mut [f32]; M] {
    let mut planes = planes.iter_mut();
    core::array::from_fn(|_| planes.next().map_or(&mut [][..], |plane| &mut plane[at.clone()]))
}
