//! preSAM with both of a user's preconditioners: diagonal C and D as slices.
//!
//! ```text
//! perturbation = rho D^2 C g / || D C g ||
//! ```
//!
//! Preconditioning: of both. The general form that every rule without memory here is an instance of:
//! max <C g, p> over || D^-1 p || <= rho. Memory: none; inputs: C and D, finite, one value each per parameter.
//! Range: D^2 C g must be representable. Source: Zhang, Li, Giannakis 2025, preSAM (arXiv 2501.06603).
//!
//! By hand: g = (3, 1), C = (1, 2), D = (1, 2), rho = 0.5: D C g = (3, 4), D^2 C g = (3, 8), perturbation (0.3, 0.8).

use super::shorthand::{arms_itself, no_keys};
use crate::element::{AscentRule, Element};
use crate::info::{Claim, Slope, VariantInfo};
use crate::real::Real;
use core::marker::PhantomData;

/// What the lists say of the rule.
pub const INFO: VariantInfo = VariantInfo {
    name: "pre-sam",
    aliases: &[],
    formula: "rho D^2 C g / ||D C g||",
    preconditioner: "C = input 0, D = input 1",
    memory: 0,
    inputs: 2,
    slope: Slope::Gradient,
    keys: &[],
    norm_reads: 3,
    equals: "SAM at C = c I, D = I",
    source: "Zhang et al. 2025, arXiv 2501.06603",
    claims: &[Claim::ConstrainedLengthIsRho, Claim::ScaleInvariant],
};

/// preSAM: norm term D (C g), direction D (D (C g)). Inputs: C, then D.
///
/// ```
/// use presam::{AscentRule, Element, PreSam};
///
/// let element = Element { param: 1.0f32, grad: 1.0, memory: [], inputs: [2.0, 3.0] };
/// assert_eq!(PreSam::new().norm_term(element), 6.0);
/// assert_eq!(PreSam::new().direction(element), 18.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct PreSam<R>(PhantomData<R>);

no_keys!(PreSam);
arms_itself!(PreSam, 0, 2);

impl<R: Real> AscentRule<R, 0, 2> for PreSam<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 2>) -> R {
        let [c, d] = e.inputs;
        d * (c * e.grad)
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 2>) -> R {
        let [c, d] = e.inputs;
        d * (d * (c * e.grad))
    }
}
