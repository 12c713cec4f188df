//! Objective preconditioning by a caller's C: perturbation = rho C g / ||C g||.

use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, _: RuleState) -> Terms {
    let ([c, _], g) = (e.inputs, e.grad);
    Terms::new(c * g, c * g)
}
