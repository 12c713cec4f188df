//! Whole cases.

use super::numbers::{BOUNDARIES, Seeded, tame};
use super::settings;
use crate::backend::Scope;
use crate::case::{Case, Options, Segment};
use crate::scalar::Scalar;
use crate::tolerance::FOREIGN_ELEMENTS;
use presam_oracle::{Base, Input, Rule, RuleState};
use proptest::collection::vec;
use proptest::prelude::*;

/// Elements in a chunk of the norm contract.
pub const CHUNK: usize = 2048;

/// How large the cases of a law are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Up to three segments of up to five elements, every number of which shrinks.
    Small,
    /// Small ones, and some with segments at the [boundaries](BOUNDARIES).
    Any,
    /// At least one segment of more than one chunk (2048 elements).
    Long,
}

/// One element: param, grad, perturbed grad, then two of memory, inputs and state each.
type Element<R> = [R; 9];

/// Cases of one of `rules` within the scope.
///
/// `rules` must not be empty.
pub fn cases<R: Scalar>(scope: &Scope, rules: &[Rule], shape: Shape) -> BoxedStrategy<Case<R>> {
    let rules = prop::sample::select(rules.to_vec()).prop_flat_map(settings::rule::<R>);
    let parts = (
        rules,
        settings::length_rule::<R>(scope),
        settings::base::<R>(scope),
        segments::<R>(scope, shape),
        counters::<R>(scope),
        prop::sample::select(if scope.fresh { vec![0_u64] } else { vec![0, 1, 3] }),
    );
    let contract = scope.contract;
    parts
        .prop_map(move |(rule, length, base, segments, counters, base_steps)| {
            let segments = segments
                .into_iter()
                .map(|(options, elements)| segment(rule, base, options, &elements));
            let segments = segments.collect();
            let rule_state = if rule.carries_mean() {
                counters
            } else {
                RuleState { mean_of_variance: 0.0, ..counters }
            };
            let case = Case { rule, length, segments, rule_state, base, base_steps };
            if contract { case } else { at_first_zero(case) }
        })
        .boxed()
}

/// The same, where a first step finds zeros, as in training: only presam's contract says that it does
/// not read what it finds.
#[must_use]
pub fn at_first_zero<R: Scalar>(mut case: Case<R>) -> Case<R> {
    let (is_first_ascent, is_first_descent) = (case.rule_state.is_first(), case.base_steps == 0);
    for segment in &mut case.segments {
        let memory = segment.memory.iter_mut().filter(|_| is_first_ascent);
        let state = segment.state.iter_mut().filter(|_| is_first_descent);
        memory.chain(state).for_each(|plane| plane.fill(R::from_f64(0.0)));
    }
    case
}

/// Before the first step, before the second, and later with a mean.
fn counters<R: Scalar>(scope: &Scope) -> BoxedStrategy<RuleState> {
    if scope.fresh {
        return Just(RuleState::default()).boxed();
    }
    let later = (prop::sample::select(vec![2_u64, 5]), tame::<R>())
        .prop_map(|(steps, mean)| RuleState { steps, mean_of_variance: mean.to_f64().abs() });
    let early = prop::sample::select(vec![0_u64, 1])
        .prop_map(|steps| RuleState { steps, mean_of_variance: 0.0 });
    prop_oneof![2 => early, 3 => later].boxed()
}

fn options<R: Scalar>(scope: &Scope) -> BoxedStrategy<Options> {
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

type Segments<R> = Vec<(Options, Vec<Element<R>>)>;

fn segments<R: Scalar>(scope: &Scope, shape: Shape) -> BoxedStrategy<Segments<R>> {
    let options = || options::<R>(scope);
    let element = || prop::array::uniform9(tame::<R>());
    let small = vec((options(), vec(element(), 0..=5)), 1..=3);
    let longest = if scope.contract { usize::MAX } else { FOREIGN_ELEMENTS / 3 };
    let lengths: Vec<usize> = BOUNDARIES.iter().copied().filter(|n| *n <= longest).collect();
    let seeded = |lengths: Vec<usize>| {
        (prop::sample::select(lengths), any::<u64>()).prop_map(|(length, seed)| {
            let mut seeded = Seeded(seed);
            (0..length).map(|_| std::array::from_fn(|_| seeded.tame())).collect()
        })
    };
    let chunks: Vec<usize> = BOUNDARIES.iter().copied().filter(|n| *n > CHUNK).collect();
    let boundaries = vec((options(), seeded(lengths)), 1..=3);
    match shape {
        Shape::Small => small.boxed(),
        Shape::Any => prop_oneof![3 => small, 1 => boundaries].boxed(),
        Shape::Long => (boundaries, (options(), seeded(chunks)))
            .prop_map(|(mut segments, last)| {
                segments.push(last);
                segments
            })
            .boxed(),
    }
}

/// Cuts elements into the planes that the rule and the base optimizer have.
fn segment<R: Scalar>(
    rule: Rule,
    base: Base,
    options: Options,
    elements: &[Element<R>],
) -> Segment<R> {
    let plane = |index: usize, f: fn(R) -> R| -> Vec<R> {
        elements
            .iter()
            .map(|element| element.get(index).copied().unwrap_or_default())
            .map(f)
            .collect()
    };
    let same: fn(R) -> R = |x| x;
    // Averages of squares are not negative.
    let size: fn(R) -> R = |x| R::from_f64(x.to_f64().abs());
    let inputs = rule.input_kinds().iter().enumerate();
    let inputs = inputs.map(|(index, kind)| plane(5 + index, tame_input(*kind))).collect();
    let planes = |planes: [Vec<R>; 2], count: usize| planes.into_iter().take(count).collect();
    Segment {
        options,
        params: plane(0, same),
        grads: plane(1, same),
        perturbed_grads: plane(2, same),
        memory: planes([plane(3, same), plane(4, size)], rule.memory()),
        inputs,
        state: planes([plane(7, same), plane(8, size)], base.planes()),
    }
}

/// A tame number as an input of this kind.
pub fn tame_input<R: Scalar>(kind: Input) -> fn(R) -> R {
    match kind {
        Input::Mask => |x| R::from_f64(if x.to_f64() < 0.0 { 0.0 } else { 1.0 }),
        Input::Objective => |x| x,
        Input::Constraint => |x| R::from_f64(x.to_f64().abs() + 0.0625),
    }
}
