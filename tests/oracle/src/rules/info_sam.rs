//! infoSAM: C = 1 / (v_hat + damping), see `noise`; perturbation = rho C g / ||C g||.

use super::noise::{Settings, noise};
use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(
    e: &Element,
    state: RuleState,
    mean_decay: f64,
    variance_decay: f64,
    absolute_damping: f64,
    relative_damping: f64,
) -> Terms {
    let settings = Settings { mean_decay, variance_decay, absolute_damping, relative_damping };
    let noise = noise(e, state, &settings);
    let (c, g) = (noise.c, e.grad);
    Terms { memory: noise.memory, statistic: noise.v_hat, ..Terms::new(c * g, c * g) }
}
