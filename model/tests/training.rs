//! A short training: it learns, and ends in the same bits at every level.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Bits, hash, reference};
use presam_model::init::{he_uniform, shuffle, streams};
use presam_model::{Level, Mlp, Scalar};

const WIDTHS: [usize; 3] = [6, 21, 3];
const EXAMPLES: usize = 150;
const BATCH: usize = 11;

/// Three classes of points in six dimensions: a bump that moves with the class, and a wobble.
fn points<T: Scalar>() -> (Vec<T>, Vec<u16>) {
    let labels: Vec<u16> = (0..EXAMPLES).map(|i| (i % 3) as u16).collect();
    let value = |i: usize| {
        let (example, feature) = (i / 6, i % 6);
        let bump = if feature / 2 == example % 3 { 10 } else { 0 };
        T::from_count(bump + (example * 31 + feature * 17) % 13) / T::from_count(16)
    };
    ((0..EXAMPLES * 6).map(value).collect(), labels)
}

/// Plain gradient descent for ten epochs, the gradient as `gradient` writes it.
fn train<T: Bits>(mut gradient: impl FnMut(&[T], &[T], &[u16], &mut [T])) -> Vec<T> {
    let mlp = Mlp::new(&WIDTHS).unwrap();
    let (inputs, labels) = points::<T>();
    let mut streams = streams(0);
    let mut params = vec![T::ZERO; mlp.param_count()];
    he_uniform(&mlp, &mut params, &mut streams.initialisation).unwrap();
    let mut grads = params.clone();
    let mut order: Vec<usize> = (0..EXAMPLES).collect();
    for _ in 0..10 {
        shuffle(&mut order, &mut streams.shuffle);
        for batch in order.chunks(BATCH) {
            let rows = batch.iter().flat_map(|&i| &inputs[i * 6..(i + 1) * 6]);
            let x: Vec<T> = rows.copied().collect();
            let y: Vec<u16> = batch.iter().map(|&i| labels[i]).collect();
            gradient(&params, &x, &y, &mut grads);
            for (param, &grad) in params.iter_mut().zip(&grads) {
                *param = *param - T::from_f32(0.125) * grad;
            }
        }
    }
    params
}

fn train_at<T: Bits>(level: Level) -> Vec<T> {
    let mlp = Mlp::new(&WIDTHS).unwrap().with_level(level);
    let mut scratch = vec![T::ZERO; mlp.scratch_len(BATCH)];
    train(|params, x, y, grads| {
        mlp.loss_and_gradient(params, x, y, y.len(), grads, &mut scratch).unwrap();
    })
}

fn train_by_reference<T: Bits>() -> Vec<T> {
    train(|params, x, y, grads| grads.copy_from_slice(&reference(&WIDTHS, params, x, y).grads))
}

#[test]
fn training_ends_in_the_golden_bits_at_every_level() {
    let golden = [0x1988_47c7_eabb_30ea, 0x93b4_f943_741c_2293];
    let found = [hash(&train_by_reference::<f32>()), hash(&train_by_reference::<f64>())];
    assert_eq!(found, golden, "reference: {found:#x?}");
    for level in Level::available() {
        let found = [hash(&train_at::<f32>(level)), hash(&train_at::<f64>(level))];
        assert_eq!(found, golden, "{level:?}");
    }
}

#[test]
fn training_learns() {
    let mlp = Mlp::new(&WIDTHS).unwrap();
    let (inputs, labels) = points::<f32>();
    let mut scratch = vec![0.0; mlp.scratch_len(EXAMPLES)];
    let mut right = |params: &[f32]| {
        let mut classes = vec![0; EXAMPLES];
        mlp.predict(params, &inputs, &mut classes, &mut scratch).unwrap();
        let pairs = classes.iter().zip(&labels);
        let agree = pairs.filter(|&(&class, &label)| class == usize::from(label)).count();
        let count = mlp.correct_count(params, &inputs, &labels, EXAMPLES, &mut scratch);
        assert_eq!(count, Ok(agree));
        agree
    };
    let mut fresh = vec![0.0; mlp.param_count()];
    he_uniform(&mlp, &mut fresh, &mut streams(0).initialisation).unwrap();
    let (before, after) = (right(&fresh), right(&train_at(Level::detect())));
    assert!(before < 100 && after > 140, "{before} then {after} right of {EXAMPLES}");
}
