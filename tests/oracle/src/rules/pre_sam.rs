//! preSAM with a caller's C and D: perturbation = rho D^2 C g / ||D C g||.

use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, _: RuleState) -> Terms {
    let ([c, d], g) = (e.inputs, e.grad);
    Terms::new(d * c * g, d * d * c * g).constrained(d)
}
