//! Masked SAM: C = mask; perturbation = rho mask g / ||mask g||.

use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, _: RuleState) -> Terms {
    let ([mask, _], g) = (e.inputs, e.grad);
    Terms::new(mask * g, mask * g)
}
