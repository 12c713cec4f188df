//! The infoSAM draft: m <- decay m + (1 - decay) g, then b = (m - g)^2; perturbation = rho (g/b) / ||g/b||.
//!
//! The first step has m <- g and b <- 1: it is SAM. b is not damped, so a repeated gradient is 0/0 or g/0.

use crate::element::{Element, RuleState, Terms};
use crate::number::{Number, average};

pub(super) fn terms(e: &Element, state: RuleState, decay: f64) -> Terms {
    let ([m_old, _], g) = (e.memory, e.grad);
    if state.is_first() {
        return Terms::new(g, g).remembering(g);
    }
    let decay = Number::exact(decay);
    let m = average([decay, 1.0 - decay], m_old, g);
    let b = (m - g) * (m - g);
    Terms::new(g / b, g / b).remembering(m)
}
