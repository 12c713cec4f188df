//! A norm rounded to `f32`: by what factor it differs is read from the answer.

use crate::case::{Answer, Case};
use crate::scalar::Scalar;
use presam_oracle::{Ascent, Format, LengthRule, Number};

/// The unit roundoff of `f32`.
pub(super) const SINGLE: f64 = Format::F32.unit_roundoff;

/// N' / N of the norm N' behind `answer` and the unrounded one N of `right`; 1 where no element shows it, or where
/// it is more than a sum in `f32` may be off.
pub(super) fn stretch<R: Scalar>(case: &Case<R>, answer: &Answer<R>, right: &Ascent) -> Number {
    let found = (shown(case, answer, right))
        .and_then(|ratio| of_norm(case.length, right.norm.value, ratio, R::FORMAT));
    found.filter(|factor| (factor.value - 1.0).abs() <= 16.0 * SINGLE).unwrap_or(Number::ONE)
}

/// A ratio and its absolute error.
struct Ratio {
    value: f64,
    error: f64,
}

/// The perturbation that was found over the right one, at the element that shows it best.
fn shown<R: Scalar>(case: &Case<R>, answer: &Answer<R>, right: &Ascent) -> Option<Ratio> {
    let answered = case.segments.iter().zip(&answer.segments);
    let expected = right.perturbation.iter().zip(&right.perturbed);
    let elements = answered.zip(expected).flat_map(|((from, to), (perturbation, perturbed))| {
        let found = from.params.iter().zip(&to.perturbed);
        found.zip(perturbation.values.iter().zip(&perturbed.bounds))
    });
    let moving = elements.filter(|(_, (p, _))| **p != 0.0);
    let ratios = moving.map(|((w, found), (p, bound))| Ratio {
        value: (found.to_f64() - w.to_f64()) / p,
        error: bound / p.abs(),
    });
    ratios.min_by(|a, b| a.error.total_cmp(&b.error))
}

/// perturbation = rho s direction with s = 1 - l + l / (N + k), so N' = l / (s' - 1 + l) - k.
fn of_norm(length: LengthRule, norm: f64, ratio: Ratio, format: Format) -> Option<Number> {
    let (l, k) = match length {
        LengthRule::Normalised { norm_guard } => (1.0, norm_guard),
        LengthRule::Mixed { lambda, norm_guard } if lambda > 0.0 => (lambda, norm_guard),
        LengthRule::Mixed { .. } | LengthRule::Unnormalised => return None,
    };
    let scale = 1.0 - l + l / (norm + k);
    let value = (l / (scale * ratio.value - (1.0 - l)) - k) / norm;
    // dN'/ds = (N + k)^2 / l
    let error = ratio.error * scale * (norm + k).powi(2) / (l * norm);
    Some(Number { value, roundings: error / format.unit_roundoff })
}
