//! FisherSAM: F = 1 + eta g^2, D = F^(-1/2); perturbation = rho F^-1 g / sqrt(sum g^2 / F).

use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, _: RuleState, eta: f64) -> Terms {
    let g = e.grad;
    let f = 1.0 + eta * (g * g);
    let direction = g / f;
    // D g = F^(1/2) (F^-1 g). Written so, because where g^2 overflows this is infinity * 0, an outcome, and
    // g / sqrt(F) would be a silent zero.
    Terms::new(f.sqrt() * direction, direction).constrained(1.0 / f.sqrt())
}
