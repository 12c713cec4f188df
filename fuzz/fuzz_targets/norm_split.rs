//! Any segments, any cut at chunk boundaries, any grouping of adjacent parts, any thread count: the bits of the
//! contract. A part that is not adjacent is refused, and so are nodes that are no partial norm.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam::{CHUNK, Cpu, Error, Part, PartialNorm, Real};
use presam_conformance::Scalar;
use presam_fuzz::contract::pair;
use presam_fuzz::draw::{Draw, Kind};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::LazyLock;

/// From this length on core cuts a segment over threads.
const PARALLEL: usize = 1 << 17;

static POOLS: LazyLock<Vec<ThreadPool>> = LazyLock::new(|| {
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build();
    (1..=4).filter_map(|threads| pool(threads).ok()).collect()
});

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    if draw.flag() { run::<f64>(&mut draw) } else { run::<f32>(&mut draw) }
});

fn run<R: Real + Scalar>(draw: &mut Draw<'_>) {
    let mut segments: Vec<(Vec<R>, Vec<R>)> = (0..draw.below(5)).map(|_| segment(draw)).collect();
    if draw.rarely(32) {
        let length = PARALLEL + draw.below(3 * CHUNK);
        segments.push(planes(draw, length));
    }
    let mut whole = PartialNorm::new();
    for (first, second) in &segments {
        accumulate(Cpu::plain(), first, second, &mut whole);
    }
    let mut parts = cut(draw, &segments);
    while parts.len() > 1 {
        refusals(draw, &parts);
        let left = draw.below(parts.len() - 1);
        let right = parts.remove(left + 1);
        parts[left].merge(&right).unwrap_or_else(|error| panic!("{error}"));
    }
    let joined = parts.pop().unwrap_or_default();
    same_norm(&whole, &joined);
    same_part(total(&whole), pair(&segments));
    let again = PartialNorm::from_nodes(whole.start(), whole.end(), whole.counted(), whole.nodes());
    same_norm(&whole, &again.unwrap_or_else(|error| panic!("{error}")));
    hostile_nodes::<R>(draw);
}

fn segment<R: Scalar>(draw: &mut Draw<'_>) -> (Vec<R>, Vec<R>) {
    let length = draw.length();
    planes(draw, length)
}

fn planes<R: Scalar>(draw: &mut Draw<'_>, length: usize) -> (Vec<R>, Vec<R>) {
    (draw.plane(length, Kind::Any), draw.plane(length, Kind::Any))
}

fn accumulate<R: Real>(cpu: Cpu, first: &[R], second: &[R], sums: &mut PartialNorm<R>) {
    cpu.accumulate_pair(first, second, sums).unwrap_or_else(|error| panic!("{error}"));
}

/// Parts of consecutive chunks, each by a level and a number of threads of its own.
fn cut<R: Real>(draw: &mut Draw<'_>, segments: &[(Vec<R>, Vec<R>)]) -> Vec<PartialNorm<R>> {
    let (mut parts, mut part) = (Vec::new(), PartialNorm::new());
    for (first, second) in segments {
        let mut start = 0;
        while start < first.len() {
            let chunks = 1 + draw.below((first.len() - start).div_ceil(CHUNK));
            let end = first.len().min(start + CHUNK * chunks);
            let (first, second) = (&first[start..end], &second[start..end]);
            match draw.below(4) {
                0 => accumulate(Cpu::plain(), first, second, &mut part),
                1 => accumulate(Cpu::detect(), first, second, &mut part),
                _ => POOLS[draw.below(POOLS.len())]
                    .install(|| accumulate(Cpu::detect().parallel(), first, second, &mut part)),
            }
            if draw.flag() {
                let next = PartialNorm::starting_at(part.end());
                parts.push(std::mem::replace(&mut part, next));
            }
            start = end;
        }
    }
    parts.push(part);
    parts
}

/// Any two of the parts, adjacent or not.
fn refusals<R: Real + Scalar>(draw: &mut Draw<'_>, parts: &[PartialNorm<R>]) {
    let (left, right) = (parts[draw.below(parts.len())], parts[draw.below(parts.len())]);
    let mut merged = left;
    let result = merged.merge(&right);
    if right.start() == left.end() {
        assert_eq!(result, Ok(()));
        assert_eq!((merged.start(), merged.end()), (left.start(), right.end()));
    } else {
        let (expected, found) = (left.end(), right.start());
        assert_eq!(result, Err(Error::NotAdjacent { expected, found }));
        same_norm(&left, &merged);
    }
    assert!(left.start() == 0 || left.total() == Err(Error::NotFromZero { found: left.start() }));
}

fn total<R: Real>(norm: &PartialNorm<R>) -> Part<R> {
    norm.total().unwrap_or_else(|error| panic!("{error}"))
}

fn same_norm<R: Real + Scalar>(expected: &PartialNorm<R>, found: &PartialNorm<R>) {
    let range =
        |norm: &PartialNorm<R>| (norm.start(), norm.end(), norm.counted(), norm.nodes().len());
    assert_eq!(range(expected), range(found));
    expected.nodes().iter().zip(found.nodes()).for_each(|(a, b)| same_part(*a, *b));
}

/// Bit for bit, all NaNs being one; a sum that is a NaN has no class.
fn same_part<R: Scalar>(expected: Part<R>, found: Part<R>) {
    let class = expected.class == found.class || expected.sum.to_f64().is_nan();
    let sums = expected.sum.same(found.sum) && expected.statistic.same(found.statistic);
    assert!(class && sums, "expected {expected:?}, found {found:?}");
}

/// Any start, end and nodes, the right number of them in half of all draws.
fn hostile_nodes<R: Real + Scalar>(draw: &mut Draw<'_>) {
    /// What a partial norm holds.
    const NODES: usize = 48;
    let (start, end) = (chunk_number(draw), chunk_number(draw));
    let right = dyadic(start, end);
    let count = if draw.flag() { draw.below(NODES + 2) } else { right.unwrap_or(0).min(2 * NODES) };
    let mut part = || Part {
        sum: draw.number::<R>(Kind::Any),
        statistic: draw.number(Kind::Any),
        class: draw.pick(&[0, 1, -1, 2, i32::MAX, i32::MIN]),
    };
    let nodes: Vec<Part<R>> = (0..count).map(|_| part()).collect();
    let norm = PartialNorm::from_nodes(start, end, u64::MAX, &nodes);
    assert_eq!(norm.is_ok(), right == Some(count) && count <= NODES, "{start} to {end}: {count}");
    let Ok(norm) = norm else { return };
    assert_eq!((norm.start(), norm.end()), (start, end));
    norm.nodes().iter().zip(&nodes).for_each(|(a, b)| same_part(*a, *b));
    let mut next = norm;
    match next.push(part(), 1) {
        Ok(()) => assert_eq!(Some(next.end()), end.checked_add(1)),
        Err(error) => {
            assert_eq!(error, Error::TooManyChunks);
            same_norm(&norm, &next);
        }
    }
}

/// Small, around a power of two, or anything.
fn chunk_number(draw: &mut Draw<'_>) -> u64 {
    match draw.below(3) {
        0 => draw.below(70) as u64,
        1 => (1_u64 << draw.below(64)).wrapping_add(draw.below(5) as u64).wrapping_sub(2),
        _ => draw.bits(),
    }
}

/// How many maximal aligned ranges [start, end) is made of; none where it ends before it starts.
fn dyadic(start: u64, end: u64) -> Option<usize> {
    let (mut count, mut at) = (0, start);
    while at < end {
        let fits = (end - at).ilog2();
        at += 1 << at.trailing_zeros().min(fits);
        count += 1;
    }
    (at == end).then_some(count)
}
