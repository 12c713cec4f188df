//! What small cases never are: long tensors, many of them, other scales, zeros that stay, counters of training.

use super::drawn::{Drawn, Echo, Element, Scales, Segments, element, options, plain};
use super::numbers::Seeded;
use super::settings::any_size;
use crate::backend::{Scope, Width};
use crate::case::Options;
use crate::scalar::Scalar;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Around the sizes of lanes, vector tails, blocks and chunks; 2048 and 128 are the norm contract's. The last three
/// times: it alone is beyond 4096, and once in so many is at some seeds never.
const LENGTHS: &[usize] = &[
    33, 38, 43, 55, 63, 64, 65, 4097, 100, 127, 128, 129, 255, 256, 257, 511, 512, 513, 1000, 1023,
    1024, 1025, 2047, 2048, 2049, 4097, 4096, 4097,
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

/// One less than the steps of a run with many or long tensors.
pub(super) const FEW_STEPS: u64 = 4;

/// Options with radii that are not round; one radius for all where the code knows no groups.
fn free_options<R: Scalar>(scope: &Scope) -> BoxedStrategy<Options> {
    let radius = prop_oneof![
        5 => prop::sample::select(vec![0.05, 0.5, 1.0, 2.0, 0.0]),
        2 => 0.002_f64..3.0,
        1 => any_size::<R>([-16, 8]),
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

/// Of more the options come again, in the same order.
const MOST_TENSORS: usize = 40;

/// Mostly a few elements; else up to where vectors of eight have whole ones and a tail.
fn short<R: Scalar>() -> BoxedStrategy<Drawn<R>> {
    let elements = prop_oneof![11 => vec(element(), 0..=5), 1 => vec(element(), 6..=40)];
    scaled(elements.boxed())
}

/// Small ones in every scale.
pub(super) fn small<R: Scalar>(scope: &Scope) -> BoxedStrategy<Segments<R>> {
    with_options(scope, vec(short(), 1..=3).boxed())
}

/// Those of a run: small, or whatever a step may have.
pub(super) fn run_segments<R: Scalar>(scope: &Scope) -> BoxedStrategy<Segments<R>> {
    prop_oneof![3 => small(scope), 1 => segments(scope)].boxed()
}

/// Small, many or long.
pub(super) fn segments<R: Scalar>(scope: &Scope) -> BoxedStrategy<Segments<R>> {
    // Sometimes one twice, as a tied layer that is shown under two names.
    let few = (vec(short(), 1..=3), prop::bool::weighted(0.08)).prop_map(|(mut few, again)| {
        few.extend(few.first().filter(|_| again).cloned());
        few
    });
    let many = vec(scaled(vec(element(), 0..=2).boxed()), 4..=MOST_TENSORS);
    // All of one length: an answer in another order fits.
    let alike = vec(scaled(vec(element(), 1).boxed()), 4..=MOST_TENSORS);
    // More than fit a table of 64.
    let crowd = vec(scaled(vec(element(), 0..=1).boxed()), 41..=130);
    let lengths = match scope.width {
        Width::Usual => LENGTHS.to_vec(),
        Width::Thorough => [LENGTHS, LENGTHS, LENGTHS, LONGER].concat(),
    };
    let length = prop_oneof![2 => prop::sample::select(lengths), 1 => 6_usize..=300].boxed();
    let all = prop_oneof![20 => few, 4 => many, 2 => alike, 1 => crowd, 6 => among(length)];
    with_options(scope, all.boxed())
}

/// A long tensor among short ones, before it and after; or two long ones, of one length or not, or three of one.
fn among<R: Scalar>(length: BoxedStrategy<usize>) -> BoxedStrategy<Segments<R>> {
    let others = prop_oneof![
        4 => Just([None, None]),
        2 => Just([Some(None), None]),
        1 => Just([Some(None), Some(None)]),
        2 => (6_usize..=300).prop_map(|n| [Some(Some(n)), None]),
    ];
    let lengths = (length, others).prop_map(|(first, [second, third])| {
        [Some(first), second.map(|n| n.unwrap_or(first)), third.map(|n| n.unwrap_or(first))]
    });
    let long = |length: usize, (seed, scales): (u64, Scales)| {
        let elements = spiked(length, &mut Seeded(seed));
        Drawn { scales, ..unset(elements) }
    };
    let seed =
        || (any::<u64>().no_shrink(), prop_oneof![3 => Just(Scales::default()), 1 => scales()]);
    (vec(short(), 0..=1), lengths, [seed(), seed(), seed()], vec(short(), 0..=1))
        .prop_map(move |(mut tensors, lengths, seeds, after)| {
            let pairs = lengths.into_iter().zip(seeds);
            tensors.extend(pairs.filter_map(|(length, seed)| Some(long(length?, seed))));
            tensors.extend(after);
            tensors
        })
        .boxed()
}

fn unset<R>(elements: Vec<Element<R>>) -> Drawn<R> {
    plain((Options::new(0.0), elements))
}

/// Scales of its own for each kind of number.
fn scales() -> BoxedStrategy<Scales> {
    (-18..=12, -14..=14, -20..=22, -12..=8, any::<bool>())
        .prop_map(|(params, grads, perturbed_grads, inputs, alternates)| Scales {
            params,
            grads,
            perturbed_grads,
            inputs,
            alternates,
            ..Scales::default()
        })
        .boxed()
}

/// Mostly as drawn, else in scales of its own, dead, without a gradient, of one value, or with planes that are alike.
fn scaled<R: Scalar>(elements: BoxedStrategy<Vec<Element<R>>>) -> BoxedStrategy<Drawn<R>> {
    let dead = Scales { is_dead: true, ..Scales::default() };
    let echoes = prop::sample::select(vec![Echo::Memory, Echo::Second, Echo::Params]);
    let scales = prop_oneof![
        16 => Just(Scales::default()),
        16 => scales(),
        2 => Just(dead),
        3 => echoes.prop_map(|echo| Scales { echo, ..Scales::default() }),
    ];
    let rarely = || prop::bool::weighted(0.08);
    (elements, scales, [rarely(), rarely(), rarely()])
        .prop_map(|(mut elements, scales, [rests, second_rests, is_flat])| {
            let zero = R::from_f64(0.0);
            if let (true, Some(first)) = (is_flat, elements.first().copied()) {
                elements.fill(first);
            }
            for [_, first, second, ..] in &mut elements {
                *first = if rests { zero } else { *first };
                *second = if second_rests { zero } else { *second };
            }
            Drawn { scales, ..unset(elements) }
        })
        .boxed()
}

/// A long tensor of which a few elements are most of the norm, among them the last: a tail that is left out is seen in
/// any order of summation. In some there is a stretch without gradients.
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
    let blank = if seeded.below(4) == 0 { length / 4 } else { 0 };
    for [_, first, second, ..] in elements.iter_mut().skip(boundary(seeded)).take(blank) {
        (*first, *second) = (R::from_f64(0.0), R::from_f64(0.0));
    }
    let places = [length - 1, boundary(seeded), boundary(seeded), boundary(seeded)];
    let places: BTreeSet<usize> = places.into();
    for place in places {
        if let Some([_, first, second, ..]) = elements.get_mut(place) {
            let spike = |x: R| R::from_f64(x.to_f64() * 64.0 + 4.0);
            (*first, *second) = (spike(*first), spike(*second));
        }
    }
    elements
}
