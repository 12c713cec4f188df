//! SSAM, sparse SAM: a mask chooses which weights are perturbed; the norm is the whole gradient's.
//!
//! ```text
//! perturbation = rho mask g / ||g||
//! ```
//!
//! Preconditioning: near an objective preconditioner, but with the unmasked norm, so the length is
//! at most rho. Memory: none; input: the mask, 0 or 1 per parameter. Masks are made by
//! [`TopK`](crate::TopK) (SSAM-F) and [`DynamicMask`](crate::DynamicMask) (SSAM-D).
//! Source: Mi, Shen, Ren, Zhou, Sun, Ji, Tao 2022 (arXiv 2210.05177); code Mi-Peng/SSAM (guard 1e-7).
//!
//! By hand: g = (3, 4), mask = (0, 1), rho = 0.5: perturbation (0, 0.4).

use super::shorthand::{arms_itself, no_keys};
use crate::element::{AscentRule, Element};
use crate::info::{Claim, Slope, VariantInfo};
use crate::real::Real;
use core::marker::PhantomData;

/// What the lists say of the rule.
pub const INFO: VariantInfo = VariantInfo {
    name: "ssam",
    aliases: &["sparse-sam"],
    formula: "rho mask g / ||g||",
    preconditioner: "C = mask, D = I, raw norm",
    memory: 0,
    inputs: 1,
    slope: Slope::Gradient,
    keys: &[],
    norm_reads: 1,
    equals: "SAM with a full mask",
    source: "Mi et al. 2022, arXiv 2210.05177; Mi-Peng/SSAM",
    claims: &[Claim::LengthAtMostRho, Claim::ScaleInvariant, Claim::Ascends],
};

/// SSAM: norm term g, direction mask g. Input: the mask.
///
/// ```
/// use presam::{AscentRule, Element, Ssam};
///
/// let element = Element { param: 1.0f32, grad: 3.0, memory: [], inputs: [0.0] };
/// assert_eq!(Ssam::new().norm_term(element), 3.0);
/// assert_eq!(Ssam::new().direction(element), 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Ssam<R>(PhantomData<R>);

no_keys!(Ssam);
arms_itself!(Ssam, 0, 1);

impl<R: Real> AscentRule<R, 0, 1> for Ssam<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 1>) -> R {
        e.grad
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 1>) -> R {
        let [mask] = e.inputs;
        mask * e.grad
    }
}
