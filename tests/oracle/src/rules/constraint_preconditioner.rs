//! Constraint preconditioning by a caller's D: perturbation = rho D^2 g / ||D g||.

use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, _: RuleState) -> Terms {
    let ([d, _], g) = (e.inputs, e.grad);
    Terms::new(d * g, d * d * g).constrained(d)
}
