//! ASAM in big_vision's form: perturbation = rho |w| g / ||g||; |w| is 1 where the operator is off.

use super::asam::operator;
use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, _: RuleState) -> Terms {
    Terms::new(e.grad, operator(e, 0.0) * e.grad)
}
