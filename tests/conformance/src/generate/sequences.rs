//! Steps in a row, and the lists of segments of a case by themselves.

use super::cases::{Shape, cases};
use super::numbers::tame;
use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case, Segment};
use crate::scalar::Scalar;
use presam_oracle::Rule;
use proptest::collection::vec;
use proptest::prelude::*;
use std::ops::RangeInclusive;

/// Elements of the largest [small](Shape::Small) case.
const ELEMENTS: usize = 15;

/// A first case, and the gradients of the steps that follow it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence<R> {
    /// The first step.
    pub first: Case<R>,
    /// For each later step, g and g~ of each segment.
    pub later: Vec<Vec<(Vec<R>, Vec<R>)>>,
}

impl<R: Scalar> Sequence<R> {
    /// Takes the steps, each from what the one before left, and shows every one.
    ///
    /// # Errors
    /// The first step without an answer.
    pub fn run(
        &self,
        backend: &mut dyn Backend<R>,
        mut show: impl FnMut(&Case<R>, &Answer<R>),
    ) -> Result<(), String> {
        let mut case = self.first.clone();
        let mut later = self.later.iter();
        loop {
            let answer = backend.step(&case)?;
            show(&case, &answer);
            let Some(grads) = later.next() else { return Ok(()) };
            case = case.next(&answer, grads);
        }
    }
}

/// Sequences of so many steps of one of `rules` within the scope, from the very first step on; steps, segments,
/// elements and numbers shrink.
///
/// `rules` must not be empty.
pub fn sequences<R: Scalar>(
    scope: &Scope,
    rules: &[Rule],
    steps: RangeInclusive<usize>,
) -> BoxedStrategy<Sequence<R>> {
    let fresh = Scope { fresh: true, ..scope.clone() };
    let later = steps.start().saturating_sub(1)..=steps.end().saturating_sub(1);
    let grads = vec((tame::<R>(), tame::<R>()), ELEMENTS);
    (cases::<R>(&fresh, rules, Shape::Small), vec(grads, later))
        .prop_map(|(first, later)| {
            let later = later.iter().map(|grads| cut(grads, &first)).collect();
            Sequence { first, later }
        })
        .boxed()
}

/// The elements, in pieces as long as the segments.
fn cut<R: Scalar>(grads: &[(R, R)], case: &Case<R>) -> Vec<(Vec<R>, Vec<R>)> {
    let mut grads = grads.iter().copied();
    let lengths = case.segments.iter().map(|segment| segment.params.len());
    lengths.map(|length| grads.by_ref().take(length).unzip()).collect()
}

/// The segments of such [cases] alone: tensors with the planes that `rule` and the scope's base optimizers have.
pub fn segment_lists<R: Scalar>(
    scope: &Scope,
    rule: Rule,
    shape: Shape,
) -> BoxedStrategy<Vec<Segment<R>>> {
    cases::<R>(scope, &[rule], shape).prop_map(|case| case.segments).boxed()
}
