//! What small cases never are: long tensors, many of them, other scales, zeros that stay, counters of training.

use super::drawn::{Drawn, Element, Scales, Segments, element, options, plain};
use super::numbers::Seeded;
use crate::backend::{Scope, Width};
use crate::case::Options;
use crate::scalar::Scalar;
use proptest::collection::vec;
use proptest::prelude::*;

/// Around the sizes of lanes, vector tails, blocks and chunks; 2048 and 128 are the norm contract's.
const LENGTHS: &[usize] = &[
    33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1000, 1023, 1024, 1025, 2047,
    2048, 2049, 4095, 4096, 4097,
];

/// Beyond them, where a limit of 16 bits is.
const LONGER: &[usize] = &[8191, 8193, 16383, 16385, 32769, 65535, 65536, 65537];

/// Counters at which tables end, bytes overflow and something is done every so many steps.
const COUNTERS: &[u64] = &[
    7, 9, 19, 49, 50, 63, 64, 99, 100, 127, 128, 199, 200, 254, 255, 256, 257, 299, 300, 499, 500,
    511, 512, 999, 1000, 1001, 1023, 1024, 1999, 2000, 4095, 4096, 9999, 10_000, 32_767, 32_768,
    65_534, 65_535, 65_536, 99_999, 100_000,
];

/// Steps taken before this one.
pub(super) fn counter() -> BoxedStrategy<u64> {
    prop_oneof![
        1 => prop::sample::select(vec![2_u64, 3, 5]),
        2 => 2_u64..=40,
        2 => 41_u64..=1200,
        3 => prop::sample::select(COUNTERS.to_vec()),
    ]
    .boxed()
}

/// One less than the steps of a run. Long ones say something only of code that keeps its memory.
pub(super) fn run(scope: &Scope) -> BoxedStrategy<u64> {
    if !scope.fresh {
        return prop::sample::select(vec![3_u64, 4, 7]).boxed();
    }
    let (long, thorough) = (270_u64, 1030);
    let longest = if scope.width == Width::Thorough { thorough } else { long };
    prop_oneof![
        20 => prop::sample::select(vec![3_u64, 5]),
        9 => prop::sample::select(vec![11_u64, 23]),
        1 => Just(longest),
    ]
    .boxed()
}

/// Options with radii that are not round; one radius for all where the code knows no groups.
fn free_options<R: Scalar>(scope: &Scope) -> BoxedStrategy<Options> {
    let radius = prop_oneof![
        5 => prop::sample::select(vec![0.05, 0.5, 1.0, 2.0, 0.0]),
        3 => 0.002_f64..3.0,
    ];
    (options::<R>(scope), radius)
        .prop_map(|(options, rho)| Options { rho: R::held(rho), ..options })
        .boxed()
}

/// One radius, or one for each.
fn with_options<R: Scalar>(
    scope: &Scope,
    tensors: BoxedStrategy<Segments<R>>,
) -> BoxedStrategy<Segments<R>> {
    let all = vec(free_options::<R>(scope), if scope.groups { MOST_TENSORS } else { 1 });
    (tensors, all)
        .prop_map(move |(mut tensors, all)| {
            // Without groups there is one for all.
            for (tensor, options) in tensors.iter_mut().zip(all.iter().cycle()) {
                tensor.options = *options;
            }
            tensors
        })
        .boxed()
}

const MOST_TENSORS: usize = 40;

/// Small ones in every scale.
pub(super) fn small<R: Scalar>(scope: &Scope) -> BoxedStrategy<Segments<R>> {
    with_options(scope, vec(scaled(vec(element(), 0..=5).boxed()), 1..=3).boxed())
}

/// Small, many or long.
pub(super) fn segments<R: Scalar>(scope: &Scope) -> BoxedStrategy<Segments<R>> {
    let few = vec(scaled(vec(element(), 0..=5).boxed()), 1..=3);
    let many = vec(scaled(vec(element(), 0..=2).boxed()), 4..=MOST_TENSORS);
    // All of one length: an answer in another order fits.
    let alike = vec(scaled(vec(element(), 1).boxed()), 4..=MOST_TENSORS);
    let lengths = match scope.width {
        Width::Usual => LENGTHS.to_vec(),
        Width::Thorough => [LENGTHS, LENGTHS, LENGTHS, LONGER].concat(),
    };
    let long = (prop::sample::select(lengths), any::<u64>().no_shrink())
        .prop_map(|(length, seed)| unset(spiked(length, &mut Seeded(seed))));
    let long =
        (vec(scaled(vec(element(), 0..=5).boxed()), 0..=1), long).prop_map(|(mut few, long)| {
            few.push(long);
            few
        });
    with_options(scope, prop_oneof![10 => few, 2 => many, 1 => alike, 3 => long].boxed())
}

fn unset<R>(elements: Vec<Element<R>>) -> Drawn<R> {
    plain((Options::new(0.0), elements))
}

/// Mostly as drawn, else in scales of its own, dead, or without a gradient.
fn scaled<R: Scalar>(elements: BoxedStrategy<Vec<Element<R>>>) -> BoxedStrategy<Drawn<R>> {
    let scales = (-8..=5, -12..=12, -16..=18, -10..=4, any::<bool>()).prop_map(
        |(params, grads, perturbed_grads, inputs, alternates)| Scales {
            params,
            grads,
            perturbed_grads,
            inputs,
            alternates,
            is_dead: false,
        },
    );
    let dead = Scales { is_dead: true, ..Scales::default() };
    let scales = prop_oneof![
        8 => Just(Scales::default()),
        8 => scales,
        1 => Just(dead),
    ];
    (elements, scales, prop::bool::weighted(0.08), prop::bool::weighted(0.08))
        .prop_map(|(mut elements, scales, rests, second_rests)| {
            let zero = R::from_f64(0.0);
            for [_, first, second, ..] in &mut elements {
                *first = if rests { zero } else { *first };
                *second = if second_rests { zero } else { *second };
            }
            Drawn { scales, ..unset(elements) }
        })
        .boxed()
}

/// A long tensor of which a few elements are most of the norm, among them the last: a tail that is left out is seen in
/// any order of summation.
fn spiked<R: Scalar>(length: usize, seeded: &mut Seeded) -> Vec<Element<R>> {
    let quiet = |x: R| R::from_f64(x.to_f64() / 16.0);
    let mut elements: Vec<Element<R>> =
        (0..length).map(|_| std::array::from_fn(|_| seeded.tame())).collect();
    for [_, first, second, ..] in &mut elements {
        (*first, *second) = (quiet(*first), quiet(*second));
    }
    let step = [1, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];
    let boundary = |seeded: &mut Seeded| {
        let step = step.get(seeded.below(step.len())).copied().unwrap_or(1);
        (step * seeded.below(length / step + 1)).saturating_sub(seeded.below(2))
    };
    let places = [length - 1, boundary(seeded), boundary(seeded), boundary(seeded)];
    for place in places {
        if let Some([_, first, second, ..]) = elements.get_mut(place) {
            let spike = |x: R| R::from_f64(x.to_f64() * 64.0 + 4.0);
            (*first, *second) = (spike(*first), spike(*second));
        }
    }
    elements
}
