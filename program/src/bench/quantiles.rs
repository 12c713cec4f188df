//! Quantiles of samples.

use serde::{Deserialize, Serialize};

/// The value below which a `share` of the samples lies, between neighbours by proportion; NaN without samples.
pub fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    between(&sorted, share)
}

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

    #[test]
    fn quantiles_by_hand() {
        let samples: Vec<f64> = (0..=20).rev().map(f64::from).collect();
        assert_eq!(Quantiles::of(&samples), Quantiles { p05: 1.0, p50: 10.0, p95: 19.0 });
        assert_eq!(quantile(&[1.0, 2.0], 0.25), 1.25);
        assert_eq!(quantile(&[7.0], 0.95), 7.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
