//! The norm contract in bits: 159 sums of squares, however the segments are cut and the parts grouped.

use presam::{CHUNK, Cpu, Error, Part, PartialNorm, Real};
use presam_conformance::Scalar;
use serde_json::Value;
use std::ops::{Div, Mul};

/// One case of the file; a mixed one has a scale for each segment.
struct Vector<R> {
    segments: Vec<Vec<R>>,
    sum: R,
    class: i32,
}

fn vectors<R>() -> Vec<Vector<R>>
where
    R: Scalar + Mul<Output = R> + Div<Output = R>,
{
    let file: Value =
        serde_json::from_str(include_str!("../../vectors/norm-vectors.json")).expect("JSON");
    let cases = file["cases"].as_array().expect("a list of cases");
    assert_eq!(cases.len(), 159);
    cases.iter().filter(|case| case["scalar"] == R::NAME).map(vector).collect()
}

fn vector<R>(case: &Value) -> Vector<R>
where
    R: Scalar + Mul<Output = R> + Div<Output = R>,
{
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let lengths = list(&case["lengths"]);
    let scales = match &case["scale"] {
        Value::Array(scales) => scales.clone(),
        scale => vec![scale.clone(); lengths.len()],
    };
    let first_seed = if case["scale"].is_array() { 11 } else { 7 };
    let segments = lengths.iter().zip(&scales).zip(first_seed..).map(|((length, scale), seed)| {
        let length = length.as_u64().expect("a length");
        let scale = R::from_f64(scale.as_f64().expect("a scale"));
        segment(seed, usize::try_from(length).expect("a length"), scale)
    });
    let bits = case["sum_bits"].as_str().expect("bits").trim_start_matches("0x");
    Vector {
        segments: segments.collect(),
        sum: R::from_bits(u64::from_str_radix(bits, 16).expect("hexadecimal")),
        class: i32::try_from(case["range_class"].as_i64().expect("a class")).expect("a class"),
    }
}

/// The recipe in the file's header.
fn segment<R>(seed: u64, length: usize, scale: R) -> Vec<R>
where
    R: Scalar + Mul<Output = R> + Div<Output = R>,
{
    let next =
        |s: u64| s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let mut s = next(seed);
    let mut draw = || {
        s = next(s);
        let integer = (s >> 40) as f64 - 8_388_608.0;
        R::from_f64(integer) / R::from_f64(8_388_608.0) * scale
    };
    (0..length).map(|_| draw()).collect()
}

/// The sums over chunks from `start` on of pieces that begin at chunk boundaries.
fn sums<R: Real>(cpu: Cpu, start: u64, pieces: &[&[R]]) -> Result<PartialNorm<R>, Error> {
    let mut norm = PartialNorm::starting_at(start);
    pieces.iter().try_for_each(|piece| cpu.accumulate_gradient(R::ONE, piece, &mut norm))?;
    Ok(norm)
}

fn assert_bits<R: Real + Scalar>(vector: &Vector<R>, found: Part<R>, what: &str) {
    let lengths: Vec<usize> = vector.segments.iter().map(Vec::len).collect();
    let found = (found.sum.hex(), found.class);
    assert_eq!(found, (vector.sum.hex(), vector.class), "{} {lengths:?} {what}", R::NAME);
}

fn levels() -> [Cpu; 4] {
    [Cpu::plain(), Cpu::detect(), Cpu::plain().parallel(), Cpu::detect().parallel()]
}

fn whole<R>()
where
    R: Real + Scalar + Mul<Output = R> + Div<Output = R>,
{
    for vector in vectors::<R>() {
        for cpu in levels() {
            let segments: Vec<&[R]> = vector.segments.iter().map(Vec::as_slice).collect();
            let norm = sums(cpu, 0, &segments).unwrap();
            assert_bits(&vector, norm.total().unwrap(), cpu.level());
        }
    }
}

#[test]
fn every_sum_has_its_bits() {
    whole::<f32>();
    whole::<f64>();
}

/// Every chunk as a part of its own.
fn chunks<R: Real>(vector: &Vector<R>) -> Vec<PartialNorm<R>> {
    let pieces = vector.segments.iter().flat_map(|segment| segment.chunks(CHUNK));
    pieces.zip(0..).map(|(piece, start)| sums(Cpu::detect(), start, &[piece]).unwrap()).collect()
}

/// Merges neighbours, the next pair chosen by the seed, until one part is left.
fn merged<R: Real>(mut parts: Vec<PartialNorm<R>>, mut seed: u64) -> PartialNorm<R> {
    while parts.len() > 1 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let left = usize::try_from(seed >> 33).expect("31 bits") % (parts.len() - 1);
        let right = parts.remove(left + 1);
        parts[left].merge(&right).unwrap();
    }
    parts.pop().unwrap_or_default()
}

fn grouped<R>()
where
    R: Real + Scalar + Mul<Output = R> + Div<Output = R>,
{
    for vector in vectors::<R>() {
        for seed in 0..20 {
            let total = merged(chunks(&vector), seed).total().unwrap();
            assert_bits(&vector, total, &format!("grouping {seed}"));
        }
    }
}

#[test]
fn any_cut_at_chunks_and_any_grouping_has_the_same_bits() {
    grouped::<f32>();
    grouped::<f64>();
}

#[test]
fn another_order_of_summation_is_seen() {
    // The sums of 128 lanes, added one after the other instead of folded by halves.
    let in_row = |segment: &[f32]| -> f32 {
        let mut lanes = [0.0_f32; 128];
        segment.iter().enumerate().for_each(|(i, x)| lanes[i % 128] += x * x);
        lanes.iter().sum()
    };
    let one_chunk = |v: &&Vector<f32>| {
        v.class == 0 && v.segments.len() == 1 && (600..=CHUNK).contains(&v.segments[0].len())
    };
    let all = vectors::<f32>();
    let differ = all.iter().filter(one_chunk).filter(|v| in_row(&v.segments[0]) != v.sum);
    assert!(differ.count() > 0);
}

#[test]
fn what_is_not_adjacent_is_refused() {
    let [a, b] = [[1.0_f32; 10], [2.0; 10]];
    let mut left = sums(Cpu::plain(), 0, &[&a]).unwrap();
    let before = left.total();
    let gap = sums(Cpu::plain(), 2, &[&b]).unwrap();
    assert_eq!(left.merge(&gap), Err(Error::NotAdjacent { expected: 1, found: 2 }));
    let overlapping = sums(Cpu::plain(), 0, &[&b]).unwrap();
    assert_eq!(left.merge(&overlapping), Err(Error::NotAdjacent { expected: 1, found: 0 }));
    assert_eq!((left.total(), left.end()), (before, 1), "nothing was taken");
    let empty = PartialNorm::starting_at(5);
    assert_eq!(left.merge(&empty), Err(Error::NotAdjacent { expected: 1, found: 5 }));
}

/// Chunks [start, end), each with a sum of its own.
fn numbered(start: u64, end: u64) -> PartialNorm<f64> {
    let mut norm = PartialNorm::starting_at(start);
    for chunk in start..end {
        let part = Part { sum: (chunk + 1) as f64, statistic: chunk as f64, class: 0 };
        norm.push(part, 7).unwrap();
    }
    norm
}

#[test]
fn a_part_that_was_taken_apart_is_the_same_again_and_no_other() {
    for (start, end) in (0..20).flat_map(|start| (start..start + 20).map(move |end| (start, end))) {
        let norm = numbered(start, end);
        let (counted, nodes) = (norm.counted(), norm.nodes());
        let again = |start, end, nodes: &[_]| PartialNorm::from_nodes(start, end, counted, nodes);
        assert_eq!(again(start, end, nodes).unwrap(), norm);
        let found = nodes.len();
        let refused = |expected, found| Err(Error::Length { slice: "nodes", expected, found });
        if let [fewer @ .., _] = nodes {
            assert_eq!(again(start, end, fewer), refused(found, found - 1), "{start} {end}");
            for nodes in [nodes, &[]] {
                let backwards = Err(Error::NotAdjacent { expected: end, found: start });
                assert_eq!(again(end, start, nodes), backwards, "{start} {end}");
            }
        }
        let more = [nodes, &[Part::ZERO]].concat();
        assert_eq!(again(start, end, &more), refused(found, found + 1), "{start} {end}");
    }
}

#[test]
fn parts_are_equal_where_place_count_and_sums_are() {
    let norm = numbered(2, 5);
    assert_eq!(norm, numbered(2, 5));
    assert!(norm != numbered(2, 6) && norm != numbered(1, 5) && norm != PartialNorm::new());
    let (nodes, mut other) = (norm.nodes(), norm.nodes().to_vec());
    let counted = norm.counted();
    assert!(norm != PartialNorm::from_nodes(2, 5, counted + 1, nodes).unwrap());
    other[0].sum += 1.0;
    assert!(norm != PartialNorm::from_nodes(2, 5, counted, &other).unwrap());
}

#[test]
fn the_total_of_a_part_is_refused() {
    let part = sums(Cpu::plain(), 3, &[&[1.0_f64; 3000]]).unwrap();
    assert_eq!(part.total(), Err(Error::NotFromZero { found: 3 }));
    assert_eq!((part.start(), part.end(), part.counted()), (3, 5, 3000));
}

/// 2^24 chunks are the most of a part that does not begin at 0.
#[test]
fn a_segment_that_does_not_fit_is_refused_whole() {
    let (start, end) = (1 << 30, (1 << 30) + (1 << 24) - 1);
    let nodes = [Part { sum: 1.0_f32, statistic: 0.0, class: 0 }; 24];
    let mut norm = PartialNorm::from_nodes(start, end, 9, &nodes).unwrap();
    let before = norm;
    let two = Cpu::plain().accumulate_gradient(1.0, &[1.0; CHUNK + 1], &mut norm);
    assert_eq!((two, norm), (Err(Error::TooManyChunks), before));
    Cpu::plain().accumulate_gradient(1.0, &[1.0; CHUNK], &mut norm).unwrap();
    assert_eq!(norm.end(), end + 1);
}

#[test]
fn a_sum_is_taken_again_below_the_smallest_that_stands() {
    assert_eq!(Part::rescue_factor(f32::SMALL_SUM), None);
    let below = f32::from_bits(f32::SMALL_SUM.to_bits() - 1);
    assert_eq!(Part::rescue_factor(below), Some(f32::RANGE_UP));
}

/// Two parts that are finite, one chunk each, and whose sum is not.
#[test]
fn parts_that_overflow_together_go_one_class_higher() {
    let mut grads = vec![0.0_f32; 2 * CHUNK];
    (grads[0], grads[CHUNK]) = (1.5e19, 1.25e19);
    let mut norm = PartialNorm::new();
    Cpu::plain().accumulate_gradient(1.0, &grads, &mut norm).unwrap();
    let part = norm.total().unwrap();
    let down = |x: f32| x * x * 2_f32.powi(-96) * 2_f32.powi(-96);
    assert_eq!((part.sum, part.class), (down(1.5e19) + down(1.25e19), 1));
}
