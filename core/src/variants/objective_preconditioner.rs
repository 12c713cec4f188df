//! A user's own objective preconditioner: diagonal C as a slice.
//!
//! ```text
//! perturbation = rho C g / ||C g||
//! ```
//!
//! Preconditioning: of the objective (OP): the slope is C g, the ball stays round, the length is rho.
//! C and c C (c > 0) give the same perturbation. Memory: none; input: C, finite, one value per parameter.
//! Range: C g must be representable. Source: preSAM (arXiv 2501.06603).
//!
//! By hand: g = (3, 2), C = (1, 2), rho = 0.5: C g = (3, 4), perturbation (0.3, 0.4).

use super::shorthand::{arms_itself, no_keys};
use crate::element::{AscentRule, Element};
use crate::info::{Claim, Slope, VariantInfo};
use crate::real::Real;
use core::marker::PhantomData;

/// What the lists say of the rule.
pub const INFO: VariantInfo = VariantInfo {
    name: "objective-preconditioner",
    aliases: &["op"],
    formula: "rho C g / ||C g||",
    preconditioner: "C = input, D = I",
    memory: 0,
    inputs: 1,
    slope: Slope::Gradient,
    keys: &[],
    norm_reads: 2,
    equals: "SAM at C = c I, c > 0",
    source: "preSAM, arXiv 2501.06603",
    claims: &[Claim::LengthIsRho, Claim::ScaleInvariant],
};

/// Objective preconditioner: norm term and direction C g. Input: C.
///
/// ```
/// use presam::{AscentRule, Element, ObjectivePreconditioner};
///
/// let element = Element { param: 1.0f32, grad: 3.0, memory: [], inputs: [2.0] };
/// assert_eq!(ObjectivePreconditioner::new().norm_term(element), 6.0);
/// assert_eq!(ObjectivePreconditioner::new().direction(element), 6.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct ObjectivePreconditioner<R>(PhantomData<R>);

no_keys!(ObjectivePreconditioner);
arms_itself!(ObjectivePreconditioner, 0, 1);

impl<R: Real> AscentRule<R, 0, 1> for ObjectivePreconditioner<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 1>) -> R {
        let [c] = e.inputs;
        c * e.grad
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 1>) -> R {
        let [c] = e.inputs;
        c * e.grad
    }
}
