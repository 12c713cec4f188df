//! SSAM's masks: 1 where an element may be perturbed, 0 elsewhere.
//!
//! Lists hold one vector per segment; ranks run over all of them. Equal scores go to the lower index in segment order;
//! a NaN or negative score counts as 0.

use crate::segment::ShapeError;
use std::f64::consts::PI;

/// Keeps a masked-out element from tying with a kept one whose score is 0.
const SCORE_GUARD: f64 = 1e-7;

/// SSAM-F: the int(n (1 - sparsity)) elements with the largest Fisher scores.
#[must_use]
pub fn fisher_mask(scores: &[Vec<f64>], sparsity: f64) -> Vec<Vec<f64>> {
    let flat: Vec<f64> = scores.iter().flatten().map(|score| cleaned(*score)).collect();
    let keep = whole(flat.len() as f64 * (1.0 - sparsity));
    like(scores, &top(&flat, keep))
}

/// SSAM-D: dr = drop_rate (1 + cos(pi (epoch - first) / (last - first))) / 2.
#[must_use]
pub fn drop_fraction(drop_rate: f64, epoch: f64, first: f64, last: f64) -> f64 {
    drop_rate * (1.0 + (PI * (epoch - first) / (last - first)).cos()) / 2.0
}

/// SSAM-D: drops and grows against the old mask.
///
/// ```text
/// kept  = top int((n - n sparsity) (1 - dr))              of (death + 1e-7) mask
/// grown = top int(min((n - n sparsity) dr, n sparsity))   of (growth + 1e-7) (1 - mask)
/// mask <- kept or grown
/// ```
///
/// # Errors
/// Lists of different shapes.
pub fn dynamic_mask(
    mask: &[Vec<f64>],
    death: &[Vec<f64>],
    growth: &[Vec<f64>],
    sparsity: f64,
    drop_fraction: f64,
) -> Result<Vec<Vec<f64>>, ShapeError> {
    for (scores, slice) in [(death, "death scores"), (growth, "growth scores")] {
        ShapeError::unless_equal(0, slice, mask.len(), scores.len())?;
        for (index, (m, s)) in mask.iter().zip(scores).enumerate() {
            ShapeError::unless_equal(index, slice, m.len(), s.len())?;
        }
    }
    let n = mask.iter().flatten().count() as f64;
    let kept_count = whole((n - n * sparsity) * (1.0 - drop_fraction));
    let grown_count = whole(((n - n * sparsity) * drop_fraction).min(n * sparsity));
    let weighted = |scores: &[Vec<f64>], weight: fn(f64) -> f64| -> Vec<f64> {
        let pairs = scores.iter().flatten().zip(mask.iter().flatten());
        pairs.map(|(score, mask)| (cleaned(*score) + SCORE_GUARD) * weight(*mask)).collect()
    };
    let kept = top(&weighted(death, |mask| mask), kept_count);
    let grown = top(&weighted(growth, |mask| 1.0 - mask), grown_count);
    let either: Vec<bool> = kept.iter().zip(&grown).map(|(a, b)| *a || *b).collect();
    Ok(like(mask, &either))
}

fn cleaned(score: f64) -> f64 {
    // Of 0.0 and -0.0 `max` may return either, and what comes after tells them apart.
    if score > 0.0 { score } else { 0.0 }
}

/// int(x) of a count.
fn whole(x: f64) -> usize {
    x as usize
}

/// Marks the `count` largest; the sort is stable, so equal scores stay in order of index.
fn top(scores: &[f64], count: usize) -> Vec<bool> {
    let mut ranked: Vec<(usize, f64)> = scores.iter().copied().enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut is_top = vec![false; scores.len()];
    for (index, _) in ranked.into_iter().take(count) {
        if let Some(mark) = is_top.get_mut(index) {
            *mark = true;
        }
    }
    is_top
}

/// The marks as 0 and 1, cut into segments like `shape`.
fn like(shape: &[Vec<f64>], marks: &[bool]) -> Vec<Vec<f64>> {
    let mut marks = marks.iter().map(|mark| f64::from(u8::from(*mark)));
    shape.iter().map(|segment| marks.by_ref().take(segment.len()).collect()).collect()
}
