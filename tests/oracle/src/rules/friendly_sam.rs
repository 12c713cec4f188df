//! Friendly SAM: s = g - sigma m_old, then m <- decay m_old + (1 - decay) g; perturbation = rho s / ||s||.
//!
//! The first step has s = g and m <- g. The statistic is ||g||: against it the ascent sees that s is only rounding.

use crate::element::{Element, RuleState, Terms};
use crate::number::{Number, average};

pub(super) fn terms(e: &Element, state: RuleState, sigma: f64, decay: f64) -> Terms {
    let ([m_old, _], g) = (e.memory, e.grad);
    let decay = Number::exact(decay);
    let (s, m) = if state.is_first() {
        (g, g)
    } else {
        (g - sigma * m_old, average([decay, 1.0 - decay], m_old, g))
    };
    Terms { statistic: g, ..Terms::new(s, s).remembering(m) }
}
