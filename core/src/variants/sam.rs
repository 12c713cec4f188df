//! SAM, sharpness-aware minimisation.
//!
//! ```text
//! perturbation = rho g / ||g||
//! ```
//!
//! Preconditioning: none, C = D = I. Memory: none. Range: any finite gradient, by range classes.
//! Source: Foret, Kleiner, Mobahi, Neyshabur 2021 (arXiv 2010.01412); code google-research/sam,
//! davda54/sam. Codes add a guard k to the norm (0 to 1e-7); here that is
//! [`LengthRule::normalised`](crate::LengthRule::normalised), and a zero gradient is an outcome.
//!
//! By hand: g = (3, 4), rho = 0.5 gives ||g|| = 5 and the perturbation (0.3, 0.4).

use super::shorthand::{arms_itself, no_keys};
use crate::element::{AscentRule, Element};
use crate::info::{Claim, Slope, VariantInfo};
use crate::real::Real;
use core::marker::PhantomData;

/// What the lists say of SAM.
pub const INFO: VariantInfo = VariantInfo {
    name: "sam",
    aliases: &[],
    formula: "rho g / ||g||",
    preconditioner: "C = I, D = I",
    memory: 0,
    inputs: 0,
    slope: Slope::Gradient,
    keys: &[],
    norm_reads: 1,
    equals: "every rule here at its neutral setting",
    source: "Foret et al. 2021, arXiv 2010.01412",
    claims: &[Claim::LengthIsRho, Claim::ScaleInvariant, Claim::Ascends, Claim::Bounded],
};

/// SAM: norm term g, direction g.
///
/// ```
/// use presam::{AscentRule, Element, Sam};
///
/// let element = Element { param: 1.0f32, grad: -2.0, memory: [], inputs: [] };
/// assert_eq!(Sam::new().direction(element), -2.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Sam<R>(PhantomData<R>);

no_keys!(Sam);
arms_itself!(Sam, 0, 0);

impl<R: Real> AscentRule<R, 0, 0> for Sam<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 0>) -> R {
        e.grad
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 0>) -> R {
        e.grad
    }
}
