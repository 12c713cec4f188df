//! Friendly SAM with ASAM's operator: D = |w| (1 where it is off), s and m of Friendly SAM;
//! perturbation = rho D^2 s / ||D s||.
//!
//! The statistic is ||D g||: against it the ascent sees that D s is only rounding.

use super::asam::operator;
use super::friendly_sam;
use crate::element::{Element, RuleState, Terms};

pub(super) fn terms(e: &Element, state: RuleState, sigma: f64, decay: f64) -> Terms {
    let (d, friendly) = (operator(e, 0.0), friendly_sam::terms(e, state, sigma, decay));
    let s = friendly.direction;
    Terms { norm_term: d * s, direction: d * d * s, statistic: d * e.grad, ..friendly }.constrained(d)
}
