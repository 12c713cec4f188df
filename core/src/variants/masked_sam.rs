//! Masked SAM: a mask as a strict objective preconditioner, so the length is rho whatever the mask.
//!
//! ```text
//! perturbation = rho mask g / ||mask g||
//! ```
//!
//! Preconditioning: of the objective, C = mask. Memory: none; input: the mask, 0 or 1 per parameter.
//! SAM-ON (perturb only normalisation layers) is the same thing by segment: a
//! [`Group`](crate::Group) that is neither counted nor perturbed. ESAM's random subset is a mask drawn anew in
//! each step, ones with probability beta, at the radius rho / beta (its code draws whole tensors: groups). The
//! trainer draws it: randomness arrives as a slice.
//! Source: preSAM's reading of a mask (arXiv 2501.06603); Mueller, Vlaar, Rolnick, Hein 2023 for SAM-ON.
//!
//! By hand: g = (3, 4), mask = (0, 1), rho = 0.5: perturbation (0, 0.5).

use super::shorthand::{arms_itself, no_keys};
use crate::element::{AscentRule, Element};
use crate::info::{Claim, Slope, VariantInfo};
use crate::real::Real;
use core::marker::PhantomData;

/// What the lists say of the rule.
pub const INFO: VariantInfo = VariantInfo {
    name: "masked-sam",
    aliases: &[],
    formula: "rho mask g / ||mask g||",
    preconditioner: "C = mask, D = I",
    memory: 0,
    inputs: 1,
    slope: Slope::Gradient,
    keys: &[],
    norm_reads: 2,
    equals: "SAM with a full mask",
    source: "preSAM, arXiv 2501.06603",
    claims: &[Claim::LengthIsRho, Claim::ScaleInvariant, Claim::Ascends],
};

/// Masked SAM: norm term and direction mask g. Input: the mask.
///
/// ```
/// use presam::{AscentRule, Element, MaskedSam};
///
/// let element = Element { param: 1.0f32, grad: 3.0, memory: [], inputs: [0.0] };
/// assert_eq!(MaskedSam::new().norm_term(element), 0.0);
/// assert_eq!(MaskedSam::new().direction(element), 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct MaskedSam<R>(PhantomData<R>);

no_keys!(MaskedSam);
arms_itself!(MaskedSam, 0, 1);

impl<R: Real> AscentRule<R, 0, 1> for MaskedSam<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 1>) -> R {
        let [mask] = e.inputs;
        mask * e.grad
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 1>) -> R {
        let [mask] = e.inputs;
        mask * e.grad
    }
}
