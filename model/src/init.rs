//! Seeded numbers: initialisation, shuffling, label noise. The same on every machine, for good.
//!
//! All come from ChaCha with 8 rounds. Its 256-bit key is the seed, little-endian, in the first eight
//! bytes and zeros behind; each use has a stream (nonce) of its own, so that, say, another shuffle
//! never changes the noise. What is made of each drawn word is written at each function.

use chacha20::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::error::{Error, check_labels, check_length};
use crate::mlp::Mlp;
use crate::scalar::Scalar;

/// The three streams of one seed.
#[derive(Debug)]
pub struct Streams {
    /// Stream 1, for [`he_uniform`].
    pub initialisation: ChaCha8Rng,
    /// Stream 2, for [`shuffle`].
    pub shuffle: ChaCha8Rng,
    /// Stream 3, for [`redraw_labels`].
    pub label_noise: ChaCha8Rng,
}

/// The three streams of a seed.
///
/// ```
/// use presam_model::init::{shuffle, streams};
///
/// let mut order = [0, 1, 2, 3, 4];
/// shuffle(&mut order, &mut streams(7).shuffle);
/// let mut again = [0, 1, 2, 3, 4];
/// shuffle(&mut again, &mut streams(7).shuffle);
/// assert_eq!(order, again);
/// ```
pub fn streams(seed: u64) -> Streams {
    let mut key = [0; 32];
    for (byte, value) in key.iter_mut().zip(seed.to_le_bytes()) {
        *byte = value;
    }
    let stream = |number| {
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(number);
        rng
    };
    Streams { initialisation: stream(1), shuffle: stream(2), label_noise: stream(3) }
}

/// He's uniform initialisation for relu layers: weights in `[-bound, bound)`, biases `+0.0`.
///
/// ```text
/// bound  = sqrt(6 / fan_in)                          in f32, each step rounded once
/// weight = ((u >> 8) * 2^-23 - 1) * bound            u: one 32-bit word; exact but for the last product
/// ```
///
/// Weights draw in the order of the parameter slice; biases draw nothing. `f64` gets the `f32` number,
/// so that runs in both types start at the same point.
///
/// ```
/// use presam_model::Mlp;
/// use presam_model::init::{he_uniform, streams};
///
/// let mlp = Mlp::new(&[6, 2])?;
/// let mut params = [9.0_f32; 14];
/// he_uniform(&mlp, &mut params, &mut streams(0).initialisation)?;
/// assert!(params[..12].iter().all(|w| (-1.0..1.0).contains(w)));
/// assert_eq!(params[12..], [0.0, 0.0]);
/// # Ok::<(), presam_model::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Length`] where `params` has not [`Mlp::param_count`] elements; nothing is written or drawn.
pub fn he_uniform<T: Scalar>(
    mlp: &Mlp<'_>,
    params: &mut [T],
    rng: &mut impl Rng,
) -> Result<(), Error> {
    check_length("params", mlp.param_count(), params.len())?;
    params.fill(T::ZERO);
    for segment in mlp.segments().filter(|segment| !segment.is_bias) {
        let bound = libm::sqrtf(6.0 / f32::from_count(segment.rows));
        for weight in params.get_mut(segment.range()).unwrap_or_default() {
            // 24 bits are exact in f32, and so are the scaling and the shift to [-1, 1).
            let drawn = (rng.next_u32() >> 8) as f32 * (1.0 / 8_388_608.0) - 1.0;
            *weight = T::from_f32(drawn * bound);
        }
    }
    Ok(())
}

/// A number below `bound`, each with the same probability; 0 where `bound` is 0.
///
/// The high half of the 128-bit product of `bound` and a 64-bit word. Words whose low half lies below
/// `2^64 mod bound` are drawn again: that leaves each result the same number of words.
///
/// ```
/// use presam_model::init::{below, streams};
///
/// assert!(below(10, &mut streams(0).shuffle) < 10);
/// ```
pub fn below(bound: u64, rng: &mut impl Rng) -> u64 {
    let uneven = bound.wrapping_neg().checked_rem(bound).unwrap_or(0);
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(bound);
        if product as u64 >= uneven {
            return (product >> 64) as u64;
        }
    }
}

/// Every order with the same probability (Fisher and Yates): for `last` from the end down to 1, swaps
/// `last` with a place drawn by [`below`]`(last + 1)`.
///
/// ```
/// use presam_model::init::{shuffle, streams};
///
/// let mut order = [0, 1, 2, 3, 4, 5, 6, 7];
/// shuffle(&mut order, &mut streams(0).shuffle);
/// assert_ne!(order, [0, 1, 2, 3, 4, 5, 6, 7]);
/// order.sort();
/// assert_eq!(order, [0, 1, 2, 3, 4, 5, 6, 7]);
/// ```
pub fn shuffle<E>(items: &mut [E], rng: &mut impl Rng) {
    for last in (1..items.len()).rev() {
        let place = below(last as u64 + 1, rng) as usize;
        // Err only where both are one place: nothing to swap.
        if let Ok([a, b]) = items.get_disjoint_mut([last, place]) {
            core::mem::swap(a, b);
        }
    }
}

/// Redraws each label with `probability`, uniformly over all classes, the right one included; returns
/// how many labels are now wrong.
///
/// Each label draws twice, used or not: a 32-bit word, which redraws it where `word * 2^-32` is below
/// `probability`, and a class by [`below`]. So the labels redrawn at 0.2 are redrawn at 0.4 too, to the
/// same classes.
///
/// ```
/// use presam_model::init::{redraw_labels, streams};
///
/// let mut labels = [0, 1, 2, 3];
/// assert_eq!(redraw_labels(&mut labels, 4, 0.0, &mut streams(0).label_noise), Ok(0));
/// assert_eq!(labels, [0, 1, 2, 3]);
/// ```
///
/// # Errors
///
/// [`Error::Probability`] outside `0..=1`, [`Error::Classes`] outside `1..=256`, [`Error::Label`] for a
/// label that names no class; nothing is written or drawn.
pub fn redraw_labels(
    labels: &mut [u8],
    classes: usize,
    probability: f64,
    rng: &mut impl Rng,
) -> Result<usize, Error> {
    if !(0.0..=1.0).contains(&probability) {
        return Err(Error::Probability { found: probability });
    }
    if !(1..=256).contains(&classes) {
        return Err(Error::Classes { most: 256, found: classes });
    }
    check_labels(labels, classes)?;
    let mut wrong = 0;
    for label in labels {
        let redrawn = f64::from(rng.next_u32()) * (1.0 / 4_294_967_296.0) < probability;
        let class = below(classes as u64, rng) as u8;
        if redrawn && class != *label {
            *label = class;
            wrong += 1;
        }
    }
    Ok(wrong)
}
