//! The rules with memory.

use super::{Naive, sum_of_squares};
use crate::common::tensor::Tensor;
use presam::{FriendlySam, InfoAsam, InfoSam, InfoSamDraft, RuleState, Vasso};

const VASSO_DECAY: f32 = 0.1;
const SIGMA: f32 = 1.0;
const MEAN_DECAY: f32 = 0.9;
const VARIANCE_DECAY: f32 = 0.99;
const RELATIVE_DAMPING: f32 = 1.0;
const ETA: f32 = 0.01;

/// The average after `new`; the first value is taken as it is.
fn average(first: bool, decay: f32, old: f32, new: f32) -> f32 {
    if first { new } else { decay * old + (1.0 - decay) * new }
}

impl Naive<1, 0> for Vasso<f32> {
    const KEYS: &[(&str, f32)] = &[("decay", VASSO_DECAY)];

    fn norm(state: &RuleState<f32>, tensor: &mut Tensor<1, 0>) -> [f64; 2] {
        let (first, [d]) = (state.steps == 0, &mut tensor.memory);
        let slopes = d.iter_mut().zip(&tensor.grads).map(|(d, g)| {
            *d = average(first, VASSO_DECAY, *d, *g);
            *d
        });
        [sum_of_squares(slopes), 0.0]
    }

    fn perturb(_: &RuleState<f32>, scale: f32, tensor: &mut Tensor<1, 0>) {
        let Tensor { params, perturbed, memory: [d], .. } = tensor;
        for ((p, w), d) in perturbed.iter_mut().zip(params).zip(d) {
            *p = *w + scale * *d;
        }
    }
}

impl Naive<1, 0> for FriendlySam<f32> {
    const KEYS: &[(&str, f32)] = &[("sigma", SIGMA), ("decay", MEAN_DECAY)];

    fn norm(state: &RuleState<f32>, tensor: &mut Tensor<1, 0>) -> [f64; 2] {
        let share = if state.steps == 0 { 0.0 } else { SIGMA };
        let slopes = tensor.grads.iter().zip(&tensor.memory[0]).map(|(g, m)| g - share * m);
        [sum_of_squares(slopes), 0.0]
    }

    fn perturb(state: &RuleState<f32>, scale: f32, tensor: &mut Tensor<1, 0>) {
        let (first, share) = (state.steps == 0, if state.steps == 0 { 0.0 } else { SIGMA });
        let Tensor { params, grads, perturbed, memory: [m], .. } = tensor;
        for (((p, w), g), m) in perturbed.iter_mut().zip(params).zip(grads).zip(m) {
            *p = *w + scale * (*g - share * *m);
            *m = average(first, MEAN_DECAY, *m, *g);
        }
    }
}

/// The draft's b.
fn squared_deviation(first: bool, mean: f32, grad: f32) -> f32 {
    if first { 1.0 } else { (mean - grad) * (mean - grad) }
}

impl Naive<1, 0> for InfoSamDraft<f32> {
    const KEYS: &[(&str, f32)] = &[("decay", MEAN_DECAY)];

    fn norm(state: &RuleState<f32>, tensor: &mut Tensor<1, 0>) -> [f64; 2] {
        let (first, [m]) = (state.steps == 0, &mut tensor.memory);
        let weighted = m.iter_mut().zip(&tensor.grads).map(|(m, g)| {
            *m = average(first, MEAN_DECAY, *m, *g);
            g / squared_deviation(first, *m, *g)
        });
        [sum_of_squares(weighted), 0.0]
    }

    fn perturb(state: &RuleState<f32>, scale: f32, tensor: &mut Tensor<1, 0>) {
        let first = state.steps == 0;
        let Tensor { params, grads, perturbed, memory: [m], .. } = tensor;
        for (((p, w), g), m) in perturbed.iter_mut().zip(params).zip(grads).zip(m) {
            *p = *w + scale * (*g / squared_deviation(first, *m, *g));
        }
    }
}

/// infoSAM's C as a function of v, for one step.
#[derive(Clone, Copy)]
struct Weight {
    bias: f32,
    bias_damping: f32,
    plain: bool,
}

impl Weight {
    fn new(state: &RuleState<f32>) -> Self {
        let bias = 1.0 - state.decay_power * VARIANCE_DECAY;
        let bias_damping = bias * RELATIVE_DAMPING * state.mean;
        Self { bias, bias_damping, plain: state.steps < 2 || bias_damping == 0.0 }
    }

    fn of(self, variance: f32) -> f32 {
        if self.plain { 1.0 } else { self.bias / (variance + self.bias_damping) }
    }
}

/// infoSAM's norm pass; `operator` is ASAM's t, or 1.
fn info_norm(
    state: &RuleState<f32>,
    tensor: &mut Tensor<2, 0>,
    operator: impl Fn(f32) -> f32,
) -> [f64; 2] {
    let (first, weight, mut statistic) = (state.steps == 0, Weight::new(state), 0.0);
    let Tensor { params, grads, memory: [m, v], .. } = tensor;
    let terms = m.iter_mut().zip(v).zip(params.iter().zip(grads)).map(|((m, v), (w, g))| {
        let deviation = *m - *g;
        *v = if first { 0.0 } else { average(false, VARIANCE_DECAY, *v, deviation * deviation) };
        *m = average(first, MEAN_DECAY, *m, *g);
        statistic += f64::from(*v);
        operator(*w) * (weight.of(*v) * *g)
    });
    let sum = sum_of_squares(terms);
    [sum, statistic]
}

fn info_perturb(
    state: &RuleState<f32>,
    scale: f32,
    tensor: &mut Tensor<2, 0>,
    operator: impl Fn(f32) -> f32,
) {
    let weight = Weight::new(state);
    let Tensor { params, grads, perturbed, memory: [_, v], .. } = tensor;
    for (((p, w), g), v) in perturbed.iter_mut().zip(params).zip(grads).zip(v) {
        let t = operator(*w);
        *p = *w + scale * (t * (t * (weight.of(*v) * *g)));
    }
}

fn info_advance(state: &RuleState<f32>, mean_statistic: f32) -> RuleState<f32> {
    let steps = state.steps + 1;
    if state.steps == 0 {
        return RuleState { steps, ..*state };
    }
    let decay_power = state.decay_power * VARIANCE_DECAY;
    RuleState { steps, decay_power, mean: mean_statistic / (1.0 - decay_power) }
}

macro_rules! info {
    ($Variant:ident, $keys:expr, $operator:expr) => {
        impl Naive<2, 0> for $Variant<f32> {
            const KEYS: &[(&str, f32)] = &$keys;

            fn norm(state: &RuleState<f32>, tensor: &mut Tensor<2, 0>) -> [f64; 2] {
                info_norm(state, tensor, $operator)
            }

            fn perturb(state: &RuleState<f32>, scale: f32, tensor: &mut Tensor<2, 0>) {
                info_perturb(state, scale, tensor, $operator);
            }

            fn advance_state(state: &RuleState<f32>, mean_statistic: f32) -> RuleState<f32> {
                info_advance(state, mean_statistic)
            }
        }
    };
}

const NOISE: [(&str, f32); 4] = [
    ("mean_decay", MEAN_DECAY),
    ("variance_decay", VARIANCE_DECAY),
    ("absolute_damping", 0.0),
    ("relative_damping", RELATIVE_DAMPING),
];

info!(InfoSam, NOISE, |_| 1.0);
info!(InfoAsam, [NOISE[0], NOISE[1], NOISE[2], NOISE[3], ("eta", ETA)], |w: f32| w.abs() + ETA);
