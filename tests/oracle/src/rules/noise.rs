//! The noise estimate of info-sam and info-asam.
//!
//! ```text
//! step 1       m <- g, v <- 0, nothing observed
//! step k >= 2  v <- variance_decay v + (1 - variance_decay) (m_old - g)^2
//!              m <- mean_decay m_old + (1 - mean_decay) g
//!              bias = 1 - variance_decay^n, n = k - 1;  v_hat = v / bias
//! step k >= 3  damping = absolute + relative * (mean of v_hat in step k - 1)
//!              C = 1 / (v_hat + damping) = bias / (v + bias damping);  C = 1 where damping is 0
//! ```
//!
//! Implementations use the second form. Here stands the first, in which bias occurs once, so that its error is not
//! counted twice.

use crate::element::{Element, RuleState};
use crate::number::{Number, average};

/// The estimate after one step.
pub(super) struct Noise {
    /// C.
    pub c: Number,
    /// v_hat.
    pub v_hat: Number,
    /// m and v.
    pub memory: [Number; 2],
}

/// The settings, named as in [`Rule::InfoSam`](crate::Rule::InfoSam).
pub(super) struct Settings {
    pub mean_decay: f64,
    pub variance_decay: f64,
    pub absolute_damping: f64,
    pub relative_damping: f64,
}

pub(super) fn noise(e: &Element, state: RuleState, settings: &Settings) -> Noise {
    let ([m_old, v_old], g) = (e.memory, e.grad);
    if state.is_first() {
        return Noise { c: Number::ONE, v_hat: Number::ZERO, memory: [g, Number::ZERO] };
    }
    let mean_decay = Number::exact(settings.mean_decay);
    let variance_decay = Number::exact(settings.variance_decay);
    let deviation = (m_old - g) * (m_old - g);
    let v = average([variance_decay, 1.0 - variance_decay], v_old, deviation);
    let m = average([mean_decay, 1.0 - mean_decay], m_old, g);

    // Before step k = steps + 1 there were k - 2 observations; with this one there are steps.
    let n = state.steps;
    let bias = 1.0 - variance_decay.power(n);
    let damping = settings.absolute_damping
        + settings.relative_damping * Number::exact(state.mean_of_variance);
    let is_plain = n < 2 || damping.value == 0.0;
    let v_hat = v / bias;
    let c = if is_plain { Number::ONE } else { 1.0 / (v_hat + damping) };
    Noise { c, v_hat, memory: [m, v] }
}
