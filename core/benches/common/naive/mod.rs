//! The same step as a careful user writes it in plain Rust: three zipped loops a tensor.
//!
//! Sums are kept in `f64`, one addition after the other: right to the last digits of an `f32`, and
//! slower than memory where everything is in cache. VaSSO and infoSAM renew their memory in the norm
//! pass, which moves fewer bytes than presam counts; presam renews it in the ascent, so that a
//! gradient that is not finite leaves it alone. There is no outcome, no range class, no check.

mod memoryless;
mod remembering;

use super::tensor::{Input, Tensor};
use presam::{Configure, RuleState, Variant};
use rayon::prelude::*;

pub const LEARNING_RATE: f32 = 0.1;
pub const MOMENTUM: f32 = 0.9;
pub const WEIGHT_DECAY: f32 = 5e-4;
const NORM_GUARD: f64 = 1e-12;

/// The naive loops of a variant.
pub trait Naive<const M: usize, const I: usize>: Variant<f32, M, I> + Configure {
    /// The hyperparameters that both programs run with, whatever the defaults become.
    const KEYS: &[(&str, f32)] = &[];
    const INPUT: Input = Input::Diagonal;

    /// Sum of squares and, where there is one, the sum of the statistic.
    fn norm(state: &RuleState<f32>, tensor: &mut Tensor<M, I>) -> [f64; 2];

    /// Writes `perturbed`.
    fn perturb(state: &RuleState<f32>, scale: f32, tensor: &mut Tensor<M, I>);

    /// The counters after a step.
    fn advance_state(state: &RuleState<f32>, _mean_statistic: f32) -> RuleState<f32> {
        RuleState { steps: state.steps + 1, ..*state }
    }
}

/// One step over all tensors; on more than one thread a tensor is what a thread takes.
pub fn step<V: Naive<M, I>, const M: usize, const I: usize>(
    state: &mut RuleState<f32>,
    rho: f32,
    tensors: &mut [Tensor<M, I>],
    threads: usize,
) {
    let before = *state;
    let add = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
    let norm = |tensor: &mut Tensor<M, I>| V::norm(&before, tensor);
    let [sum, statistic] = if threads == 1 {
        tensors.iter_mut().map(norm).fold([0.0; 2], add)
    } else {
        tensors.par_iter_mut().map(norm).reduce(|| [0.0; 2], add)
    };
    let scale = (f64::from(rho) / (sum.sqrt() + NORM_GUARD)) as f32;
    let counted: usize = tensors.iter().map(|tensor| tensor.params.len()).sum();
    *state = V::advance_state(&before, (statistic / counted as f64) as f32);
    each(tensors, threads, |tensor| V::perturb(&before, scale, tensor));
    each(tensors, threads, |tensor| descend(before.steps == 0, tensor));
}

fn each<T: Send>(tensors: &mut [T], threads: usize, work: impl Fn(&mut T) + Send + Sync) {
    if threads == 1 {
        tensors.iter_mut().for_each(work);
    } else {
        tensors.par_iter_mut().for_each(work);
    }
}

/// v <- momentum v + d, w <- w - learning_rate v, d = g~ + weight_decay w
fn descend<const M: usize, const I: usize>(first: bool, tensor: &mut Tensor<M, I>) {
    let Tensor { params, perturbed_grads, velocity, .. } = tensor;
    for ((w, v), g) in params.iter_mut().zip(velocity).zip(perturbed_grads) {
        let d = *g + WEIGHT_DECAY * *w;
        *v = if first { d } else { MOMENTUM * *v + d };
        *w -= LEARNING_RATE * *v;
    }
}

fn sum_of_squares(terms: impl Iterator<Item = f32>) -> f64 {
    terms.map(|term| f64::from(term) * f64::from(term)).sum()
}
