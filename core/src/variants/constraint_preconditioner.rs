//! A user's own constraint preconditioner: diagonal D as a slice.
//!
//! ```text
//! perturbation = rho D^2 g / ||D g||
//! ```
//!
//! Preconditioning: of the constraint (CP): the ball is || D^-1 perturbation || <= rho. D and d D differ
//! by the factor d. Memory: none; input: D, finite, one value per parameter.
//! Range: D^2 g must be representable. Source: preSAM (arXiv 2501.06603).
//!
//! By hand: g = (3, 2), D = (1, 2), rho = 0.5: D g = (3, 4), D^2 g = (3, 8), perturbation (0.3, 0.8).

use super::shorthand::{arms_itself, no_keys};
use crate::element::{AscentRule, Element};
use crate::info::{Claim, Slope, VariantInfo};
use crate::real::Real;
use core::marker::PhantomData;

/// What the lists say of the rule.
pub const INFO: VariantInfo = VariantInfo {
    name: "constraint-preconditioner",
    aliases: &["cp"],
    formula: "rho D^2 g / ||D g||",
    preconditioner: "C = I, D = input",
    memory: 0,
    inputs: 1,
    slope: Slope::Gradient,
    keys: &[],
    norm_reads: 2,
    equals: "SAM at D = I",
    source: "preSAM, arXiv 2501.06603",
    claims: &[Claim::ConstrainedLengthIsRho, Claim::ScaleInvariant, Claim::Ascends],
};

/// Constraint preconditioner: norm term D g, direction D (D g). Input: D.
///
/// ```
/// use presam::{AscentRule, Element, ConstraintPreconditioner};
///
/// let element = Element { param: 1.0f32, grad: 3.0, memory: [], inputs: [2.0] };
/// assert_eq!(ConstraintPreconditioner::new().norm_term(element), 6.0);
/// assert_eq!(ConstraintPreconditioner::new().direction(element), 12.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct ConstraintPreconditioner<R>(PhantomData<R>);

no_keys!(ConstraintPreconditioner);
arms_itself!(ConstraintPreconditioner, 0, 1);

impl<R: Real> AscentRule<R, 0, 1> for ConstraintPreconditioner<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 1>) -> R {
        let [d] = e.inputs;
        d * e.grad
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 1>) -> R {
        let [d] = e.inputs;
        d * (d * e.grad)
    }
}
