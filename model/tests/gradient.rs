//! The gradient is the slope of the loss: central differences in f64.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::Numbers;
use presam_model::Mlp;

const STEP: f64 = 1e-5;
/// Measured: 6e-11, the rounding of the losses. A kink crossed by a step would show as far more.
const ALLOWED: f64 = 2e-10;

#[test]
fn gradient_equals_central_differences() {
    let shapes: [(&[usize], usize); 6] = [
        (&[3, 2], 4),
        (&[1, 1], 2),
        (&[4, 6, 3], 5),
        (&[5, 9, 17, 4], 3),
        (&[2, 7, 3, 6, 2], 9),
        (&[12, 20, 10], 8),
    ];
    let mut worst = 0.0_f64;
    for (widths, batch) in shapes {
        let mut numbers = Numbers(11);
        let mlp = Mlp::new(widths).unwrap();
        let mut params: Vec<f64> = numbers.many(mlp.param_count());
        let inputs: Vec<f64> = numbers.many(batch * mlp.inputs());
        let labels = numbers.labels(batch, mlp.classes());
        let mut scratch = vec![0.0; mlp.scratch_len(batch)];
        let mut grads = vec![0.0; params.len()];
        mlp.loss_and_gradient(&params, &inputs, &labels, batch, &mut grads, &mut scratch).unwrap();
        assert!(mlp.classes() == 1 || grads.iter().filter(|grad| **grad != 0.0).count() > 3);
        for index in 0..params.len() {
            let at = params[index];
            let mut loss = |param| {
                params[index] = param;
                mlp.loss(&params, &inputs, &labels, batch, &mut scratch).unwrap()
            };
            let slope = (loss(at + STEP) - loss(at - STEP)) / (2.0 * STEP);
            loss(at);
            worst = worst.max((slope - grads[index]).abs());
            let off = (slope - grads[index]).abs();
            assert!(off <= ALLOWED, "{widths:?}, param {index}: {slope} against {}", grads[index]);
        }
    }
    println!("largest difference {worst:e}");
    assert!(worst > ALLOWED / 4.0, "{ALLOWED:e} is too loose for {worst:e}");
}
