//! Masks: the search for the largest scores, and the dynamic mask, each against the oracle.

use crate::common::{Random, widened_all};
use presam::{DynamicMask, Real, TopK, kept_count};
use presam_oracle::mask;

const LENGTHS: [usize; 4] = [3, 0, 130, 2100];

/// The search over segments, ended.
fn search<R: Real>(keep: u64, scores: &[Vec<R>]) -> TopK<R> {
    let mut top = TopK::new(keep);
    for _ in 0..TopK::<R>::passes() {
        scores.iter().for_each(|segment| top.count(segment));
        top.narrow();
    }
    top
}

/// Scores with many ties, zeros, and what counts as zero.
fn scores<R: Real>(seed: u64) -> Vec<Vec<R>> {
    let mut segments = Random(seed).segments::<R>(&LENGTHS);
    let coarse = |x: R| R::from_f64((x.to_f64() * 4.0).round() / 4.0);
    segments.iter_mut().flatten().for_each(|x| *x = coarse(*x));
    segments[0][1] = R::from_f64(f64::NAN);
    segments
}

fn top_k_agrees<R: Real>() {
    for seed in 0..5 {
        let scores = scores::<R>(seed);
        let n = scores.iter().map(Vec::len).sum::<usize>() as u64;
        for sparsity in [0.0, 0.25, 0.5, 0.984375, 1.0] {
            let mut top = search(kept_count(n, sparsity).unwrap(), &scores);
            let mut masks: Vec<Vec<R>> = scores.iter().map(|s| vec![R::ONE; s.len()]).collect();
            for (scores, mask) in scores.iter().zip(&mut masks) {
                top.write_mask(scores, mask).unwrap();
            }
            let expected = mask::fisher_mask(&widened_all(&scores), sparsity);
            assert_eq!(widened_all(&masks), expected, "sparsity {sparsity}");
        }
    }
}

#[test]
fn top_k_is_the_oracles() {
    top_k_agrees::<f32>();
    top_k_agrees::<f64>();
}

#[test]
fn what_is_masked_may_grow_and_what_is_not_may_die() {
    let (scores, mask) = ([0.5, f64::NAN, 2.0, 3.0], [1.0, 1.0, 0.0, 1.0]);
    let dying: Vec<f64> = DynamicMask::death_scores(&scores, &mask).collect();
    assert_eq!(dying, [0.5 + 1e-7, 1e-7, 0.0, 3.0 + 1e-7]);
    let growing: Vec<f64> = DynamicMask::growth_scores(&scores, &mask).collect();
    assert_eq!(growing, [0.0, 0.0, 2.0 + 1e-7, 0.0]);
}

#[test]
fn the_dynamic_mask_is_the_oracles() {
    let [death, growth] = [20, 21].map(|seed| {
        let mut scores = scores::<f64>(seed);
        scores.iter_mut().flatten().for_each(|x| *x = if x.is_nan() { 0.0 } else { x.abs() });
        scores
    });
    let n = death.iter().map(Vec::len).sum::<usize>() as u64;
    let mut old: Vec<Vec<f64>> = death.iter().map(|s| vec![0.0; s.len()]).collect();
    let marks = old.iter_mut().flatten().enumerate();
    marks.for_each(|(i, m)| *m = f64::from(u8::from(i % 2 == 0)));
    for progress in [0.0, 0.25, 0.5, 1.0] {
        let dynamic = DynamicMask::new(n, 0.5, 0.5).unwrap();
        let (kept, grown) = dynamic.counts(progress);
        let pairs = |scores: &[Vec<f64>], f: fn(&[f64], &[f64]) -> Vec<f64>| -> Vec<Vec<f64>> {
            scores.iter().zip(&old).map(|(s, m)| f(s, m)).collect()
        };
        let dying = pairs(&death, |s, m| DynamicMask::death_scores(s, m).collect());
        let growing = pairs(&growth, |s, m| DynamicMask::growth_scores(s, m).collect());
        let (mut keep, mut grow) = (search(kept, &dying), search(grown, &growing));
        let mut masks = old.clone();
        for ((dying, growing), mask) in dying.iter().zip(&growing).zip(&mut masks) {
            keep.write_mask(dying, mask).unwrap();
            grow.grow_mask(growing, mask).unwrap();
        }
        let fraction = mask::drop_fraction(0.5, progress, 0.0, 1.0);
        let expected = mask::dynamic_mask(&old, &death, &growth, 0.5, fraction).unwrap();
        assert_eq!(masks, expected, "progress {progress}");
    }
}
