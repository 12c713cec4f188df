//! ASAM: D = |w| + eta, 1 where the operator is off; perturbation = rho D^2 g / ||D g||.

use crate::element::{Element, RuleState, Terms};
use crate::number::Number;

pub(super) fn terms(e: &Element, _: RuleState, eta: f64) -> Terms {
    let (d, g) = (operator(e, eta), e.grad);
    Terms::new(d * g, d * d * g).constrained(d)
}

/// |w| + eta, or 1 where the operator is off.
pub(super) fn operator(e: &Element, eta: f64) -> Number {
    if e.operator_applies { e.param.abs() + eta } else { Number::ONE }
}
