//! [`Drawn`]: a tensor before it is cut into the planes of its rule.

use super::numbers::tame;
use crate::backend::Scope;
use crate::case::Options;
use crate::scalar::Scalar;
use proptest::prelude::*;

/// One element: param, grad, perturbed grad, then two of memory, inputs and state each.
pub(super) type Element<R> = [R; 9];

/// What groups say: mostly what is usual; one radius for all where the code knows no groups.
pub(super) fn options<R: Scalar>(scope: &Scope) -> BoxedStrategy<Options> {
    let rho = prop::sample::select([1.0, 0.5, 0.05, 2.0, 0.0].map(R::held).to_vec());
    if !scope.groups {
        return Just(Options::new(R::held(0.05))).boxed();
    }
    // Negated, so that it shrinks to what is usual.
    let mostly = || prop::bool::weighted(0.15).prop_map(|off| !off);
    (rho, mostly(), mostly(), mostly())
        .prop_map(|(rho, counts_in_norm, is_perturbed, operator_applies)| Options {
            rho,
            counts_in_norm,
            is_perturbed,
            operator_applies,
        })
        .boxed()
}

/// One tensor as it is drawn.
#[derive(Clone, Debug)]
pub(super) struct Drawn<R> {
    pub options: Options,
    pub elements: Vec<Element<R>>,
    pub scales: Scales,
}

/// Powers of two by which numbers of one kind are multiplied.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scales {
    pub params: i32,
    pub grads: i32,
    pub perturbed_grads: i32,
    pub inputs: i32,
    /// Every second element alone, so that the scales meet within the tensor.
    pub alternates: bool,
    /// Every number but the inputs is 0.
    pub is_dead: bool,
    /// What is the same as the first gradients, number by number.
    pub echo: Echo,
}

/// Planes that are alike: a gradient that comes again, a second pass that was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Echo {
    /// None.
    #[default]
    None,
    /// What is remembered.
    Memory,
    /// The second gradients.
    Second,
    /// The parameters.
    Params,
}

impl Scales {
    /// 2^exponent for element `i`, 0 in a dead tensor.
    pub fn of(self, exponent: i32, i: usize) -> f64 {
        let spared = self.alternates && i.is_multiple_of(2);
        let factor = if spared { 1.0 } else { 2_f64.powi(exponent) };
        if self.is_dead { 0.0 } else { factor }
    }
}

pub(super) type Segments<R> = Vec<Drawn<R>>;

/// Without scales.
pub(super) fn plain<R>((options, elements): (Options, Vec<Element<R>>)) -> Drawn<R> {
    Drawn { options, elements, scales: Scales::default() }
}

/// A tame element, each of its numbers by itself.
pub(super) fn element<R: Scalar>() -> BoxedStrategy<Element<R>> {
    prop::array::uniform9(tame::<R>()).boxed()
}
