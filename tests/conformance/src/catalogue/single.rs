//! A norm rounded to `f32`: by what factor it differs is read from the answer.

use crate::case::{Answer, Case};
use crate::expected::FOREIGN;
use crate::scalar::Scalar;
use presam_oracle::{Ascent, Format, LengthRule, Number};

/// The unit roundoff of `f32`.
pub(super) const SINGLE: f64 = Format::F32.unit_roundoff;

/// N' / N of the norm N' behind `answer` and the unrounded one N of `right`: N' is the `f32` number that the answer
/// shows, where it shows one and a sum in `f32` may be off by so much; else N itself, rounded.
///
/// So a factor that is read from the answer fits only what is an `f32` number indeed, one in 2^29 of all.
pub(super) fn stretch<R: Scalar>(case: &Case<R>, answer: &Answer<R>, right: &Ascent) -> Number {
    let norm = right.norm.value;
    // As much in either type.
    if norm == 0.0 || !norm.is_finite() {
        return Number::exact(1.0);
    }
    let read = (shown(case, answer, right))
        .and_then(|ratio| of_norm(case.length, norm, ratio, R::FORMAT))
        .and_then(|factor| single(norm, factor, R::FORMAT, case.elements()));
    Number::exact(read.unwrap_or_else(|| f32::held(norm)) / norm)
}

/// The `f32` number near N factor, no further than the factor is known and `f32` sums of so many squares go.
fn single(norm: f64, factor: Number, format: Format, elements: usize) -> Option<f64> {
    let read = norm * factor.value;
    let single = f32::held(read);
    let known = FOREIGN * format.unit_roundoff * factor.roundings * norm;
    let summed = (16.0 + (elements as f64).sqrt()) * SINGLE * norm;
    ((single - read).abs() <= known && (single - norm).abs() <= summed).then_some(single)
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
