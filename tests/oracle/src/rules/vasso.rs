//! VaSSO: d <- decay d + (1 - decay) g, d <- g at first; perturbation = rho d / ||d||.

use crate::element::{Element, RuleState, Terms};
use crate::number::{Number, average};

pub(super) fn terms(e: &Element, state: RuleState, decay: f64) -> Terms {
    let ([d_old, _], g) = (e.memory, e.grad);
    let decay = Number::exact(decay);
    let d = if state.is_first() { g } else { average([decay, 1.0 - decay], d_old, g) };
    Terms::new(d, d).remembering(d)
}
