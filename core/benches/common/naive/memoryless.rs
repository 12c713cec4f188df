//! The rules without memory.

use super::{Naive, sum_of_squares};
use crate::common::tensor::{Input, Tensor};
use presam::{
    Asam, ConstraintPreconditioner, FisherSam, MaskedSam, MomentumSam, ObjectivePreconditioner,
    PreSam, RuleState, Sam, Ssam,
};
use std::iter::repeat;

const ASAM_ETA: f32 = 0.01;
const FISHER_ETA: f32 = 1.0;

/// Norm term and direction as functions of w, g and the zipped inputs.
macro_rules! naive {
    ($Variant:ident, $inputs:tt, $input:ident, $keys:expr, $term:expr, $direction:expr) => {
        impl Naive<0, $inputs> for $Variant<f32> {
            const KEYS: &[(&str, f32)] = &$keys;
            const INPUT: Input = Input::$input;

            fn norm(_: &RuleState<f32>, tensor: &mut Tensor<0, $inputs>) -> [f64; 2] {
                let Tensor { params, grads, inputs, .. } = tensor;
                [sum_of_terms(params, grads, naive!(@zipped $inputs, inputs), $term), 0.0]
            }

            fn perturb(_: &RuleState<f32>, scale: f32, tensor: &mut Tensor<0, $inputs>) {
                let Tensor { params, grads, inputs, perturbed, .. } = tensor;
                let inputs = naive!(@zipped $inputs, inputs);
                perturb_by(scale, perturbed, params, grads, inputs, $direction);
            }
        }
    };
    (@zipped 0, $planes:ident) => { repeat(&*$planes) };
    (@zipped 1, $planes:ident) => { &$planes[0] };
    (@zipped 2, $planes:ident) => { $planes[0].iter().zip(&$planes[1]) };
}

fn sum_of_terms<E>(
    params: &[f32],
    grads: &[f32],
    inputs: impl IntoIterator<Item = E>,
    term: impl Fn(f32, f32, E) -> f32,
) -> f64 {
    let elements = params.iter().zip(grads).zip(inputs);
    sum_of_squares(elements.map(|((w, g), input)| term(*w, *g, input)))
}

fn perturb_by<E>(
    scale: f32,
    perturbed: &mut [f32],
    params: &[f32],
    grads: &[f32],
    inputs: impl IntoIterator<Item = E>,
    direction: impl Fn(f32, f32, E) -> f32,
) {
    for (((p, w), g), input) in perturbed.iter_mut().zip(params).zip(grads).zip(inputs) {
        *p = w + scale * direction(*w, *g, input);
    }
}

/// ASAM's t
fn operator(param: f32) -> f32 {
    param.abs() + ASAM_ETA
}

/// FisherSAM's F
fn fisher(grad: f32) -> f32 {
    1.0 + FISHER_ETA * grad * grad
}

naive!(Sam, 0, Diagonal, [], |_, g, _| g, |_, g, _| g);
naive!(MomentumSam, 0, Diagonal, [], |_, g, _| g, |_, g, _| -g);
naive!(Asam, 0, Diagonal, [("eta", ASAM_ETA)], |w, g, _| operator(w) * g, |w, g, _| operator(w)
    * operator(w)
    * g);
naive!(FisherSam, 0, Diagonal, [("eta", FISHER_ETA)], |_, g, _| g / fisher(g).sqrt(), |_, g, _| g
    / fisher(g));
naive!(Ssam, 1, Mask, [], |_, g, _| g, |_, g, mask| mask * g);
naive!(MaskedSam, 1, Mask, [], |_, g, mask| mask * g, |_, g, mask| mask * g);
naive!(ObjectivePreconditioner, 1, Diagonal, [], |_, g, c| c * g, |_, g, c| c * g);
naive!(ConstraintPreconditioner, 1, Diagonal, [], |_, g, d| d * g, |_, g, d| d * d * g);
naive!(PreSam, 2, Diagonal, [], |_, g, (c, d)| d * c * g, |_, g, (c, d)| d * d * c * g);
