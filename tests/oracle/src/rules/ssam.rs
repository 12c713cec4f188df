//! SSAM: perturbation = rho mask g / ||g||, the norm of the gradient without mask.

use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, _: RuleState) -> Terms {
    let ([mask, _], g) = (e.inputs, e.grad);
    Terms::new(g, mask * g)
}
