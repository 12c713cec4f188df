//! ASAM as big_vision has it: the operator once, over the norm of the raw gradient.
//!
//! ```text
//! perturbation = rho |w| g / ||g||
//! ```
//!
//! Preconditioning: neither of the objective nor of the constraint; the direction of C = |w|, with a norm without
//! it. Its length follows the weights: rho is about ASAM's. Memory: none. Where the operator
//! is off, |w| is 1. A weight of exactly 0 never moves. Range: |w| g must be representable.
//! Source: google-research/big_vision, GSAM's `adaptive_perturbation` (norm guard 1e-12); GSAM's own code in PyTorch
//! has [`Asam`] with eta 0.
//!
//! By hand: w = (1, -2), g = (3, -4), rho = 1: norm 5, perturbation (0.6, -1.6).

use super::Asam;
use crate::element::{AscentRule, Configure, Element, RuleState, Variant};
use crate::error::Error;
use crate::info::{Claim, Slope, VariantInfo};
use crate::real::Real;

/// What the lists say of the rule.
pub const INFO: VariantInfo = VariantInfo {
    name: "raw-asam",
    aliases: &[],
    formula: "rho |w| g / ||g||",
    preconditioner: "C = |w|, D = I, raw norm",
    memory: 0,
    inputs: 0,
    slope: Slope::Gradient,
    keys: &[],
    norm_reads: 1,
    equals: "SAM where the operator is off",
    source: "google-research/big_vision, adaptive GSAM",
    claims: &[Claim::ScaleInvariant, Claim::Ascends],
};

/// ASAM with the raw norm: norm term g, direction |w| g.
///
/// ```
/// use presam::{AscentRule, Element, RawAsam};
///
/// let element = Element { param: -2.0f32, grad: -4.0, memory: [], inputs: [] };
/// assert_eq!(RawAsam::new().norm_term(element), -4.0);
/// assert_eq!(RawAsam::new().direction(element), -8.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct RawAsam<R>(Asam<R>);

impl<R: Real> RawAsam<R> {
    /// The variant; it has no hyperparameters.
    #[must_use]
    pub const fn new() -> Self {
        Self(Asam::ONCE)
    }
}

impl<R: Real> Default for RawAsam<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Real> Configure for RawAsam<R> {
    fn set(self, _key: &str, _value: f64) -> Result<Self, Error> {
        Err(Error::UnknownKey { rule: INFO.name, expected: "(it has none)" })
    }
}

impl<R: Real> Variant<R, 0, 0> for RawAsam<R> {
    type Rule = Self;

    #[inline]
    fn arm(self, _state: &RuleState<R>) -> Self {
        self
    }

    #[inline]
    fn with_operator(self, applies: bool) -> Self {
        Self(self.0.applied(applies))
    }
}

impl<R: Real> AscentRule<R, 0, 0> for RawAsam<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 0>) -> R {
        e.grad
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 0>) -> R {
        self.0.direction(e)
    }
}
