//! What is generic over the number type and large, compiled in this crate: at a low optimisation level, which tests
//! have, a crate that asks for the same takes it from here and does not compile it again.

use crate::catalogue::{Questions, diagnosed, off};
use crate::generate::cases;
use crate::laws::all;
use crate::runner::{draw, tried};
use crate::scalar::Scalar;

/// Names all of it for one number type; never called.
fn named<R: Scalar>() -> usize {
    let addresses = [
        all::<R> as *const () as usize,
        cases::<R> as *const () as usize,
        draw::<R> as *const () as usize,
        tried::<R> as *const () as usize,
        Questions::<R>::draw as *const () as usize,
        diagnosed::<R> as *const () as usize,
        off::<R> as *const () as usize,
    ];
    addresses.len()
}

/// Both number types.
#[doc(hidden)]
pub fn both() -> usize {
    named::<f32>() + named::<f64>()
}
