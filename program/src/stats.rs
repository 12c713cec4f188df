//! What a handful of seeds can tell: mean, spread and the paired difference with its 95 % Student-t interval.
//!
//! ```text
//! standard deviation  s  = sqrt( sum (x - mean)^2 / (n - 1) )
//! standard error      se = s / sqrt(n)
//! paired difference   d_i = a_i - b_i,   mean(d) -+ t(0.975, n - 1) * se(d)
//! ```
//!
//! Pairing by seed removes what two methods share (initialisation, order of batches, which labels are wrong).

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Mean difference of paired samples with its two-sided 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    /// Mean of `a - b`.
    pub mean: f64,
    /// Lower end of the interval; `None` with a single pair, which cannot tell its own spread.
    pub low: Option<f64>,
    /// Upper end of the interval; `None` with a single pair.
    pub high: Option<f64>,
    /// Number of pairs.
    pub pairs: usize,
}

/// Each item once, in order of first appearance.
pub fn distinct<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

/// Arithmetic mean; `None` without samples.
pub fn mean(samples: &[f64]) -> Option<f64> {
    (!samples.is_empty()).then(|| samples.iter().sum::<f64>() / samples.len() as f64)
}

/// The middle value, between the two middle ones for an even number; `None` without samples. NaNs count as the largest.
pub fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    let lower = if sorted.len().is_multiple_of(2) { sorted[middle - 1] } else { upper };
    Some((lower + upper) / 2.0)
}

/// Sample standard deviation (divided by n - 1); `None` below two samples.
pub fn standard_deviation(samples: &[f64]) -> Option<f64> {
    let centre = mean(samples).filter(|_| samples.len() > 1)?;
    let squares: f64 = samples.iter().map(|x| (x - centre) * (x - centre)).sum();
    Some((squares / (samples.len() - 1) as f64).sqrt())
}

/// Standard error of the mean; `None` below two samples.
pub fn standard_error(samples: &[f64]) -> Option<f64> {
    Some(standard_deviation(samples)? / (samples.len() as f64).sqrt())
}

/// The factor t such that a Student-t variable with `degrees` degrees of freedom lies within -t..t
/// with a probability of 95 %; `None` for 0 degrees.
pub fn student_t_95(degrees: usize) -> Option<f64> {
    if degrees == 0 {
        return None;
    }
    Some(StudentsT::new(0.0, 1.0, degrees as f64).ok()?.inverse_cdf(0.975))
}

/// Mean of `a[i] - b[i]` with its 95 % interval; `None` for no pair or unequal lengths.
pub fn paired_difference(a: &[f64], b: &[f64]) -> Option<PairedDifference> {
    if a.len() != b.len() {
        return None;
    }
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let mean = mean(&differences)?;
    let half = student_t_95(differences.len() - 1)
        .zip(standard_error(&differences))
        .map(|(t, error)| t * error);
    Some(PairedDifference {
        mean,
        low: half.map(|half| mean - half),
        high: half.map(|half| mean + half),
        pairs: differences.len(),
    })
}

/// The value below which a `share` of the samples lies, between neighbours by proportion; NaN without samples.
fn between(sorted: &[f64], share: f64) -> f64 {
    let position = share.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    let at = |index: f64| sorted.get(index as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(position.floor()), at(position.ceil()));
    low + (high - low) * position.fract()
}

/// Nanoseconds: the median and the two quantiles that leave out 5 % on each side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// The 5 % quantile.
    pub p05: f64,
    /// The median.
    pub p50: f64,
    /// The 95 % quantile.
    pub p95: f64,
}

impl Quantiles {
    /// Those of `samples`.
    pub fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let [p05, p50, p95] = [0.05, 0.5, 0.95].map(|share| between(&sorted, share));
        Self { p05, p50, p95 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, tolerance: f64) -> bool {
        (a - b).abs() <= tolerance
    }

    #[test]
    fn t_agrees_with_the_printed_tables() {
        let table = [
            (1, 12.706205),
            (2, 4.302653),
            (4, 2.776445),
            (11, 2.200985),
            (23, 2.068658),
            (120, 1.979930),
        ];
        for (degrees, t) in table {
            let found = student_t_95(degrees).unwrap();
            assert!(close(found, t, 1e-6), "{degrees} degrees: {found} instead of {t}");
        }
        assert_eq!(student_t_95(0), None);
    }

    #[test]
    fn mean_and_spread_by_hand() {
        let samples = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&samples), Some(5.0));
        assert!(close(standard_deviation(&samples).unwrap(), (32.0f64 / 7.0).sqrt(), 1e-15));
        assert!(close(standard_error(&samples).unwrap(), (4.0f64 / 7.0).sqrt(), 1e-15));
        assert_eq!(
            (median(&[3.0, 1.0, 9.0]), median(&[4.0, 1.0, 9.0, 2.0]), median(&[])),
            (Some(3.0), Some(3.0), None)
        );
        assert_eq!(
            (mean(&[]), standard_deviation(&[1.0]), standard_error(&[])),
            (None, None, None)
        );
    }

    #[test]
    fn a_paired_interval_by_hand() {
        // Differences 1, 2, 3, 4, 5: mean 3, s = sqrt(2.5), se = sqrt(0.5), half = 2.776445 * 0.707107 = 1.963243.
        let difference =
            paired_difference(&[2.0, 4.0, 6.0, 8.0, 10.0], &[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!((difference.mean, difference.pairs), (3.0, 5));
        assert!(close(difference.low.unwrap(), 3.0 - 1.963243, 1e-6));
        assert!(close(difference.high.unwrap(), 3.0 + 1.963243, 1e-6));
        let single = paired_difference(&[2.0], &[1.0]).unwrap();
        assert_eq!((single.mean, single.low, single.high), (1.0, None, None));
        assert_eq!(paired_difference(&[1.0], &[]), None);
        assert_eq!(paired_difference(&[], &[]), None);
    }

    #[test]
    fn the_interval_covers_the_truth_about_19_times_in_20() {
        // Sums of twelve uniform draws from a multiplicative generator: near normal, mean 0.
        let mut state = 12345_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut covered = 0;
        for _ in 0..2000 {
            let samples: Vec<f64> =
                (0..5).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect();
            let difference = paired_difference(&samples, &[0.0; 5]).unwrap();
            covered +=
                usize::from(difference.low.unwrap() <= 0.0 && difference.high.unwrap() >= 0.0);
        }
        assert!((1860..=1940).contains(&covered), "{covered} of 2000");
    }

    #[test]
    fn quantiles_by_hand() {
        let samples: Vec<f64> = (0..=20).rev().map(f64::from).collect();
        assert_eq!(Quantiles::of(&samples), Quantiles { p05: 1.0, p50: 10.0, p95: 19.0 });
        assert_eq!(between(&[1.0, 2.0], 0.25), 1.25);
        assert_eq!(between(&[7.0], 0.95), 7.0);
        assert!(between(&[], 0.5).is_nan());
    }
}
