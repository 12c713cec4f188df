//! Every result equals the documented sums bit for bit, at every level, and nothing else is written.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Bits, Guarded, Numbers, bits, reference};
use presam_model::{Level, Mlp, Scalar};

const WIDTHS: [&[usize]; 10] = [
    &[1, 1],
    &[1, 2],
    &[3, 5, 2],
    &[4, 8, 16],
    &[5, 1, 1, 3],
    &[7, 17, 9, 4],
    &[9, 31, 33],
    &[16, 15, 10],
    &[2, 70, 13, 5],
    &[64, 128, 10],
];
const BATCHES: [usize; 9] = [1, 2, 3, 4, 5, 7, 8, 13, 64];

/// One shape at every level; returns how many levels were compared.
fn compare<T: Bits>(widths: &[usize], params: &[T], inputs: &[T], labels: &[u16]) -> usize {
    let batch = labels.len();
    let truth = reference(widths, params, inputs, labels);
    let mut compared = 0;
    for level in Level::available() {
        let mlp = Mlp::new(widths).unwrap().with_level(level);
        let context = format!("{widths:?}, batch {batch}, {level:?}");
        let mut grads = Guarded::new(mlp.param_count());
        let mut scratch = Guarded::new(mlp.scratch_len(batch));

        let logits = mlp.forward(params, inputs, batch, scratch.slice()).unwrap();
        assert_eq!(bits(logits), bits(&truth.logits), "logits, {context}");
        let loss = mlp.loss(params, inputs, labels, batch, scratch.slice()).unwrap();
        assert_eq!(loss.bits(), truth.loss.bits(), "loss, {context}");
        let (to, room) = (grads.slice(), scratch.slice());
        let loss = mlp.loss_and_gradient(params, inputs, labels, batch, to, room).unwrap();
        assert_eq!(loss.bits(), truth.loss.bits(), "loss beside gradient, {context}");
        assert_eq!(bits(grads.slice()), bits(&truth.grads), "gradient, {context}");
        grads.assert_guards();
        scratch.assert_guards();
        compared += 1;
    }
    compared
}

fn every_shape<T: Bits>() {
    let mut numbers = Numbers(1);
    let mut compared = 0;
    for widths in WIDTHS {
        for batch in BATCHES {
            let mlp = Mlp::new(widths).unwrap();
            let params: Vec<T> = numbers.many(mlp.param_count());
            let inputs: Vec<T> = numbers.many(batch * mlp.inputs());
            let labels = numbers.labels(batch, mlp.classes());
            compared += compare(widths, &params, &inputs, &labels);
        }
    }
    println!("{compared} comparisons over {:?}", Level::available().collect::<Vec<_>>());
    assert_eq!(compared, WIDTHS.len() * BATCHES.len() * Level::available().count());
}

#[test]
fn f32_bits_match_the_documented_order() {
    every_shape::<f32>();
}

#[test]
fn f64_bits_match_the_documented_order() {
    every_shape::<f64>();
}

/// Zeros of both signs, subnormals, huge values, infinities and NaNs take the same path.
#[test]
fn hostile_numbers_keep_their_bits() {
    let hostile = [0.0, -0.0, 1e-44, -3e-39, 1e20, -1e20, 3e38, f32::INFINITY, f32::NAN, 1.0, -1.0];
    let widths = [5, 18, 6];
    let mlp = Mlp::new(&widths).unwrap();
    let mut numbers = Numbers(2);
    let (mut finite, mut nan) = (0, 0);
    for round in 0..60 {
        // The later the round, the rarer the hostile values, so that some results stay finite.
        let mut draw = |count: usize| -> Vec<f32> {
            let pick = |numbers: &mut Numbers| match numbers.word() as usize % (11 + round * round)
            {
                index if index < hostile.len() => hostile[index],
                _ => numbers.next(),
            };
            (0..count).map(|_| pick(&mut numbers)).collect()
        };
        let (params, inputs) = (draw(mlp.param_count()), draw(7 * mlp.inputs()));
        let labels = numbers.labels(7, mlp.classes());
        compare(&widths, &params, &inputs, &labels);
        let loss = reference(&widths, &params, &inputs, &labels).loss;
        if loss.is_nan() { nan += 1 } else { finite += 1 }
    }
    assert!(finite >= 10 && nan >= 10, "one-sided cases: {finite} finite, {nan} NaN");
}

/// The fused form must be one that these tests can tell apart.
#[test]
fn a_fused_sum_would_be_noticed() {
    let mut numbers = Numbers(3);
    let (params, inputs): (Vec<f32>, Vec<f32>) = (numbers.many(65), numbers.many(64));
    let truth = reference(&[64, 1], &params, &inputs, &[0]).logits[0];
    let fused = inputs.iter().zip(&params).fold(params[64], |sum, (x, w)| x.mul_add(*w, sum));
    assert_ne!(truth.to_bits(), fused.to_bits());
}

#[cfg(feature = "simd")]
#[test]
fn detection_finds_the_widest_level() {
    let widest = Level::available().last().unwrap();
    assert_eq!(Level::detect().name(), widest.name());
    assert_eq!(Level::detect().is_wide(), Level::available().count() > 1);
    #[cfg(target_arch = "x86_64")]
    assert_eq!(Level::detect().is_wide(), std::arch::is_x86_feature_detected!("avx2"));
}

/// Exponential and logarithm are libm's for the type itself, not another rounding of them.
#[test]
fn exp_and_log_are_those_of_libm() {
    let mut numbers = Numbers(4);
    let mut rounded_otherwise = [0, 0];
    for _ in 0..20_000 {
        let x = numbers.next::<f32>() * 20.0;
        let y = x.abs() + 1.0;
        assert_eq!(x.libm_exp().to_bits(), libm::expf(x).to_bits());
        assert_eq!(y.libm_log().to_bits(), libm::logf(y).to_bits());
        rounded_otherwise[0] += usize::from(x.libm_exp() != libm::exp(x.into()) as f32);
        rounded_otherwise[1] += usize::from(y.libm_log() != libm::log(y.into()) as f32);
        let (x, y) = (f64::from(x), f64::from(y));
        assert_eq!(x.libm_exp().to_bits(), libm::exp(x).to_bits());
        assert_eq!(y.libm_log().to_bits(), libm::log(y).to_bits());
    }
    assert!(rounded_otherwise.iter().all(|count| *count > 10), "{rounded_otherwise:?}");
}

/// A negative zero before a relu is a positive one behind it: seen in the sign of a logit.
#[test]
fn relu_ends_negative_zeros() {
    let params = [-0.0_f32, -0.0, 1.0, -0.0];
    let mlp = Mlp::new(&[1, 1, 1]).unwrap();
    let mut scratch = vec![0.0; mlp.scratch_len(1)];
    let logits = mlp.forward(&params, &[1.0], 1, &mut scratch).unwrap();
    assert_eq!(logits[0].to_bits(), 0.0_f32.to_bits());
}
