//! Whole cases.

use super::drawn::{Drawn, Echo, Scales, Segments, element, options, plain};
use super::numbers::{BOUNDARIES, Seeded, tame};
use super::settings;
use super::wide;
use crate::backend::Scope;
use crate::case::{Case, Segment};
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
    /// Of a stranger small ones in every scale, with settings that are not round and a radius of 0 among them; of the
    /// whole contract [`Any`](Self::Any).
    Free,
    /// What small ones never are: long tensors, a hundred of them, scales that differ within a step, tensors of zeros,
    /// counters in the thousands, settings that are not round. The whole contract has its own ways to go wide, and
    /// is asked [`Any`](Self::Any).
    Wide,
    /// Small ones with the length of a run in the base optimizer's counter; of code that keeps its memory also wide
    /// ones, for a few steps.
    Run,
}

/// Cases of one of `rules` within the scope.
///
/// `rules` must not be empty.
pub fn cases<R: Scalar>(scope: &Scope, rules: &[Rule], shape: Shape) -> BoxedStrategy<Case<R>> {
    // Strangers are asked everything with settings that are not round.
    let free = !scope.contract && [Shape::Free, Shape::Wide, Shape::Run].contains(&shape);
    let rules = prop::sample::select(rules.to_vec())
        .prop_flat_map(move |rule| settings::rule::<R>(rule, free));
    let parts = (
        rules,
        settings::length_rule::<R>(scope, free),
        settings::base::<R>(scope, free),
        segments::<R>(scope, shape),
        counters::<R>(scope, shape),
        base_steps(scope, shape),
    );
    let (contract, is_run) = (scope.contract, shape == Shape::Run);
    parts
        .prop_map(move |(rule, length, base, segments, counters, base_steps)| {
            let segments: Vec<_> =
                segments.iter().map(|drawn| segment(rule, base, drawn)).collect();
            let is_wide = segments.len() > 3 || segments.iter().any(|s| s.params.len() > 40);
            let base_steps =
                if is_run && is_wide { base_steps.min(wide::FEW_STEPS) } else { base_steps };
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

/// The same with learning rate 0.
#[must_use]
pub fn at_rest<R: Scalar>(case: &Case<R>) -> Case<R> {
    let at_rest = |name, value| if name == "learning_rate" { 0.0 } else { value };
    Case { base: case.base.map_settings(at_rest), ..case.clone() }
}

/// Before the first step, before the second, and later with a mean.
fn counters<R: Scalar>(scope: &Scope, shape: Shape) -> BoxedStrategy<RuleState> {
    if scope.fresh {
        return Just(RuleState::default()).boxed();
    }
    let is_wide = shape == Shape::Wide && !scope.contract;
    let later =
        if is_wide { wide::counter() } else { prop::sample::select(vec![2_u64, 5]).boxed() };
    let powers = if is_wide { (-16..=12).boxed() } else { Just(0).boxed() };
    let later = (later, tame::<R>(), powers).prop_map(|(steps, mean, power)| {
        let mean_of_variance = R::held(mean.to_f64().abs() * 2_f64.powi(power));
        RuleState { steps, mean_of_variance }
    });
    let early = prop::sample::select(vec![0_u64, 1])
        .prop_map(|steps| RuleState { steps, mean_of_variance: 0.0 });
    prop_oneof![2 => early, 3 => later].boxed()
}

fn base_steps(scope: &Scope, shape: Shape) -> BoxedStrategy<u64> {
    match shape {
        Shape::Run if !scope.contract => wide::run(scope),
        _ if scope.fresh => Just(0).boxed(),
        Shape::Wide if !scope.contract => {
            prop_oneof![1 => prop::sample::select(vec![0_u64, 1]), 3 => wide::counter()].boxed()
        }
        _ => prop::sample::select(vec![0_u64, 1, 3]).boxed(),
    }
}

fn segments<R: Scalar>(scope: &Scope, shape: Shape) -> BoxedStrategy<Segments<R>> {
    match shape {
        Shape::Wide if !scope.contract => return wide::segments(scope),
        Shape::Run if !scope.contract && scope.fresh => return wide::run_segments(scope),
        Shape::Free | Shape::Run if !scope.contract => return wide::small(scope),
        _ => {}
    }
    let options = || options::<R>(scope);
    let small = vec((options(), vec(element(), 0..=5)).prop_map(plain), 1..=3);
    let longest = if scope.contract { usize::MAX } else { FOREIGN_ELEMENTS / 3 };
    let lengths: Vec<usize> = BOUNDARIES.iter().copied().filter(|n| *n <= longest).collect();
    let seeded = |lengths: Vec<usize>| {
        (prop::sample::select(lengths), any::<u64>()).prop_map(|(length, seed)| {
            let mut seeded = Seeded(seed);
            (0..length).map(|_| std::array::from_fn(|_| seeded.tame())).collect::<Vec<_>>()
        })
    };
    let chunks: Vec<usize> = BOUNDARIES.iter().copied().filter(|n| *n > CHUNK).collect();
    let boundaries = vec((options(), seeded(lengths)).prop_map(plain), 1..=3);
    match shape {
        Shape::Small | Shape::Run => small.boxed(),
        Shape::Any | Shape::Free | Shape::Wide => prop_oneof![3 => small, 1 => boundaries].boxed(),
        Shape::Long => (boundaries, (options(), seeded(chunks)).prop_map(plain))
            .prop_map(|(mut segments, last)| {
                segments.push(last);
                segments
            })
            .boxed(),
    }
}

/// Cuts elements into the planes that the rule and the base optimizer have.
fn segment<R: Scalar>(rule: Rule, base: Base, drawn: &Drawn<R>) -> Segment<R> {
    let Drawn { options, elements, scales } = drawn;
    let plane = |index: usize, exponent: i32, f: fn(R) -> R| -> Vec<R> {
        let numbers = elements.iter().map(|element| element.get(index).copied());
        let numbers = numbers.map(|number| f(number.unwrap_or_default())).enumerate();
        // + 0: a dead tensor has no zeros below 0, which a sum with 0 would not keep.
        numbers.map(|(i, x)| R::from_f64(x.to_f64() * scales.of(exponent, i) + 0.0)).collect()
    };
    let same: fn(R) -> R = |x| x;
    // Averages of squares are not negative.
    let size: fn(R) -> R = |x| R::from_f64(x.to_f64().abs());
    let of_inputs = Scales { is_dead: false, ..*scales };
    let input = |(index, kind): (usize, &Input)| -> Vec<R> {
        let exponent = if *kind == Input::Mask { 0 } else { scales.inputs };
        let numbers = elements.iter().map(|element| element.get(5 + index).copied());
        let numbers = numbers.map(|x| tame_input::<R>(*kind)(x.unwrap_or_default())).enumerate();
        numbers.map(|(i, x)| R::from_f64(x.to_f64() * of_inputs.of(exponent, i))).collect()
    };
    let planes = |planes: [Vec<R>; 2], count: usize| planes.into_iter().take(count).collect();
    let (first, second) = (scales.grads, scales.perturbed_grads);
    let grads = plane(1, first, same);
    let unless =
        |echo: Echo, plane: Vec<R>| if scales.echo == echo { grads.clone() } else { plane };
    let remembered = unless(Echo::Memory, plane(3, first, same));
    Segment {
        options: *options,
        params: unless(Echo::Params, plane(0, scales.params, same)),
        perturbed_grads: unless(Echo::Second, plane(2, second, same)),
        memory: planes([remembered, plane(4, 2 * first, size)], rule.memory()),
        inputs: rule.input_kinds().iter().enumerate().map(input).collect(),
        state: planes([plane(7, second, same), plane(8, 2 * second, size)], base.planes()),
        grads,
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
