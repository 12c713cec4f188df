//! Momentum-SAM: ascent against the momentum, so that a step needs one gradient only.
//!
//! ```text
//! perturbation = -rho v / ||v||          v: the base optimizer's momentum, handed in as `grads`
//! ```
//!
//! Preconditioning: none; the slope is replaced, s = -v. Memory: none of its own.
//! The first step has v = 0: [`Outcome::ZeroNorm`](crate::Outcome), a plain step.
//! Source: Becker, Altinbas, Risse 2024 (arXiv 2401.12033); code MarlonBecker/MSAM. Its conventions differ: it keeps
//! the weights perturbed between steps; its SGD form adds weight decay on the perturbed weight, here decay sees
//! the restored one; its AdamW form takes weight decay off after the Adam update, here before. Without weight
//! decay both are the same step: for their numbers set it to 0 and put the decay into the gradient (SGD: g~ plus
//! decay times the perturbed weight) or take it off the weights after the descent (AdamW).
//!
//! By hand: v = (3, 4), rho = 0.5 gives the perturbation (-0.3, -0.4).

use super::shorthand::{arms_itself, no_keys};
use crate::element::{AscentRule, Element};
use crate::info::{Claim, Slope, VariantInfo};
use crate::real::Real;
use core::marker::PhantomData;

/// What the lists say of momentum-SAM.
pub const INFO: VariantInfo = VariantInfo {
    name: "momentum-sam",
    aliases: &["msam"],
    formula: "-rho v / ||v||, v the momentum",
    preconditioner: "C = I, D = I, slope -v",
    memory: 0,
    inputs: 0,
    slope: Slope::Momentum,
    keys: &[],
    norm_reads: 1,
    equals: "SAM with the slope -v",
    source: "Becker et al. 2024, arXiv 2401.12033; MarlonBecker/MSAM",
    claims: &[Claim::LengthIsRho, Claim::ScaleInvariant],
};

/// Momentum-SAM: norm term v, direction -v, where `grads` is the momentum.
///
/// [`Session::step_with_momentum`](crate::Session::step_with_momentum) is the one-gradient driver.
///
/// ```
/// use presam::{AscentRule, Element, MomentumSam};
///
/// let element = Element { param: 1.0f32, grad: 2.0, memory: [], inputs: [] };
/// assert_eq!(MomentumSam::new().direction(element), -2.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C)]
pub struct MomentumSam<R>(PhantomData<R>);

no_keys!(MomentumSam);
arms_itself!(MomentumSam, 0, 0);

impl<R: Real> AscentRule<R, 0, 0> for MomentumSam<R> {
    #[inline(always)]
    fn norm_term(self, e: Element<R, 0, 0>) -> R {
        e.grad
    }

    #[inline(always)]
    fn direction(self, e: Element<R, 0, 0>) -> R {
        -e.grad
    }
}
