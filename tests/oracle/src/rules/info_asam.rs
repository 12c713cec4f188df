//! infoSAM on ASAM: C of `noise`, D = |w| + eta (1 where the operator is off);
//! perturbation = rho D^2 C g / ||D C g||.

use super::asam::operator;
use super::noise::{Settings, noise};
use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(
    e: &Element,
    state: RuleState,
    mean_decay: f64,
    variance_decay: f64,
    absolute_damping: f64,
    relative_damping: f64,
    eta: f64,
) -> Terms {
    let settings = Settings { mean_decay, variance_decay, absolute_damping, relative_damping };
    let noise = noise(e, state, &settings);
    let (c, d, g) = (noise.c, operator(e, eta), e.grad);
    Terms { memory: noise.memory, statistic: noise.v_hat, ..Terms::new(d * c * g, d * d * c * g) }.constrained(d)
}
