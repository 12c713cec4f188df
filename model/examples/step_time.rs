//! Prints the time of one batch gradient of the digits network (64-128-10, batch 64) at each level.
//!
//! `cargo run --release -p presam-model --all-features --example step_time`

use std::hint::black_box;
use std::time::Instant;

use presam_model::init::{he_uniform, streams};
use presam_model::{Error, Level, Mlp, Scalar};

const WIDTHS: [usize; 3] = [64, 128, 10];
const BATCH: usize = 64;
const CALLS: u32 = 200;

fn microseconds<T: Scalar>(level: Level) -> Result<f64, Error> {
    let mlp = Mlp::new(&WIDTHS)?.with_level(level);
    let mut params = vec![T::ZERO; mlp.param_count()];
    he_uniform(&mlp, &mut params, &mut streams(0).initialisation)?;
    let pixels = (0..BATCH * mlp.inputs()).map(|i| T::from_count(i * 7 % 17) / T::from_count(16));
    let inputs: Vec<T> = pixels.collect();
    let labels: Vec<usize> = (0..BATCH).map(|i| i % mlp.classes()).collect();
    let mut grads = vec![T::ZERO; params.len()];
    let mut scratch = vec![T::ZERO; mlp.scratch_len(BATCH)];

    // The best of several rounds: other programs only ever add time.
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        for _ in 0..CALLS {
            let params = black_box(&params);
            mlp.loss_and_gradient(params, &inputs, &labels, BATCH, &mut grads, &mut scratch)?;
            black_box(&grads);
        }
        best = best.min(start.elapsed().as_secs_f64() / f64::from(CALLS));
    }
    Ok(best * 1e6)
}

fn main() -> Result<(), Error> {
    for level in Level::available() {
        let (single, double) = (microseconds::<f32>(level)?, microseconds::<f64>(level)?);
        println!("{:>7}: f32 {single:.1} us, f64 {double:.1} us for one gradient", level.name());
    }
    Ok(())
}
