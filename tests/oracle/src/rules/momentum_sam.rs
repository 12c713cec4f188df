//! Momentum-SAM: v, the momentum, is handed in as the gradient; perturbation = -rho v / ||v||.

use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, _: RuleState) -> Terms {
    let v = e.grad;
    Terms::new(v, -v)
}
