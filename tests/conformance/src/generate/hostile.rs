//! Numbers that go wrong in training, and cases that hold some.

use super::cases::{Shape, cases};
use super::numbers::{special, tame};
use crate::backend::Scope;
use crate::case::Case;
use crate::scalar::Scalar;
use presam_oracle::Rule;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// A tame number, a [special] one, an infinity or NaN; it shrinks to a tame one.
pub fn hostile<R: Scalar>() -> BoxedStrategy<R> {
    let wild = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(R::from_f64);
    prop_oneof![
        2 => tame::<R>(),
        3 => prop::sample::select(special::<R>().to_vec()),
        1 => prop::sample::select(wild.to_vec()),
    ]
    .boxed()
}

/// [Cases](cases) of which up to three gradients, first or second, are [hostile]: what is claimed of them is
/// the contract's ([`Scope::contract`]); any code should at least answer, and leave its parameters as
/// they were where a gradient is not finite.
///
/// `rules` must not be empty.
pub fn hostile_cases<R: Scalar>(
    scope: &Scope,
    rules: &[Rule],
    shape: Shape,
) -> BoxedStrategy<Case<R>> {
    let planted = vec((any::<Index>(), hostile::<R>(), any::<bool>()), 0..=3);
    (cases::<R>(scope, rules, shape), planted)
        .prop_map(|(mut case, planted)| {
            planted.into_iter().for_each(|plant| put(&mut case, plant));
            case
        })
        .boxed()
}

fn put<R: Scalar>(case: &mut Case<R>, (index, value, is_second): (Index, R, bool)) {
    let elements = case.elements();
    if elements == 0 {
        return;
    }
    let mut planes = case.segments.iter_mut().flat_map(|segment| {
        if is_second { &mut segment.perturbed_grads } else { &mut segment.grads }
    });
    let chosen = planes.nth(index.index(elements));
    chosen.into_iter().for_each(|gradient| *gradient = value);
}
