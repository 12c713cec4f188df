//! SAM: perturbation = rho g / ||g||.

use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, _: RuleState) -> Terms {
    let g = e.grad;
    Terms::new(g, g)
}
