//! How long the perturbation is, and where it points.

use super::yardstick::{answer, perturbing};
use super::{Checked, Law, an_ascent, claims, unguarded};
use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case, Options, Segment};
use crate::expected::Expected;
use crate::generate::Shape;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::tolerance::Tolerance;
use crate::worst::Worst;
use presam_oracle::Claim;

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![
        Law {
            name: "length-is-rho",
            statement: "an objective preconditioner keeps the length: || perturbation || = rho",
            rules: |rule| claims(rule, Claim::LengthIsRho),
            needs: an_ascent,
            shape: Shape::Free,
            check: length_is_rho,
        },
        Law {
            name: "length-at-most-rho",
            statement: "a mask outside the norm, and D <= 1, shorten: || perturbation || <= rho",
            rules: |rule| claims(rule, Claim::LengthAtMostRho),
            needs: an_ascent,
            shape: Shape::Free,
            check: length_at_most_rho,
        },
        Law {
            name: "constrained-length-is-rho",
            statement: "the constraint holds with equality: || D^-1 perturbation || = rho",
            rules: |rule| claims(rule, Claim::ConstrainedLengthIsRho),
            needs: an_ascent,
            shape: Shape::Free,
            check: constrained_length_is_rho,
        },
        Law {
            name: "ascends",
            statement: "no parameter moves against its gradient where C, D >= 0 and the slope is g",
            rules: |rule| claims(rule, Claim::Ascends),
            needs: an_ascent,
            shape: Shape::Free,
            check: ascends,
        },
    ]
}

/// D of one element, as the rule states it.
fn constraint<R: Scalar>(case: &Case<R>, segment: &Segment<R>, i: usize) -> f64 {
    case.rule.terms(&segment.element(i), case.rule_state).constraint.value
}

/// || D^-1 perturbation || and the error it may have; the perturbation is what the parameters moved.
fn measured<R: Scalar>(
    case: &Case<R>,
    answer: &Answer<R>,
    expected: &Expected,
    constraint: impl Fn(&Segment<R>, usize) -> f64,
) -> (f64, f64) {
    let (mut length, mut error) = (0.0, 0.0);
    let segments = case.segments.iter().zip(&answer.segments).zip(&expected.ascent.perturbed);
    for ((from, to), bounded) in segments {
        let elements = from.params.iter().zip(&to.perturbed).zip(&bounded.bounds);
        for (i, ((w, perturbed), bound)) in elements.enumerate() {
            let d = constraint(from, i);
            // D = 0 keeps the element where it is; `agrees` checks that.
            if d > 0.0 {
                length += ((perturbed.to_f64() - w.to_f64()) / d).powi(2);
                error += (bound / d).powi(2);
            }
        }
    }
    (length.sqrt(), error.sqrt())
}

/// All segments alike, one radius; rho N / (N + k) is the length that the guard leaves.
fn uniform<R: Scalar>(backend: &dyn Backend<R>, case: &Case<R>) -> Case<R> {
    unguarded(case, &backend.scope()).map_options(|options| Options {
        operator_applies: options.operator_applies,
        ..Options::new(R::held(0.5))
    })
}

fn radius<R: Scalar>(case: &Case<R>, expected: &Expected) -> f64 {
    let norm = expected.ascent.norm.value;
    0.5 * (norm / (norm + case.norm_guard().to_f64()))
}

/// Another order of summation has larger errors than the oracle's bound counts.
fn slack<R>(scope: &Scope, case: &Case<R>) -> f64 {
    if scope.contract { 1.0 } else { Tolerance::of(scope, case).summed }
}

/// The length that the dialect's own perturbation has, where the code is judged by a dialect.
fn own_length<R: Scalar>(
    case: &Case<R>,
    expected: &Expected,
    constraint: impl Fn(&Segment<R>, usize) -> f64,
) -> f64 {
    let perturbations = case.segments.iter().zip(&expected.ascent.perturbation);
    let terms = perturbations.flat_map(|(segment, plane)| {
        let terms = plane.values.iter().enumerate();
        terms.map(|(i, p)| (p, constraint(segment, i))).collect::<Vec<_>>()
    });
    terms.filter(|(_, d)| *d > 0.0).map(|(p, d)| (p / d).powi(2)).sum::<f64>().sqrt()
}

/// Judges a length by a comparison with (length, radius, error).
fn judge<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    constrained: bool,
    holds: fn(f64, f64, f64) -> bool,
    relation: &str,
) -> Result<Checked, Mismatch> {
    let (case, scope) = (uniform(backend, case), backend.scope());
    if perturbing(backend, &case)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    let found = answer(backend, &case)?;
    let expected = scope.convention.expected_like(&case, &found)?;
    let constraint = |segment: &Segment<R>, i: usize| {
        if constrained { constraint(&case, segment, i) } else { 1.0 }
    };
    let (length, error) = measured(&case, &found, &expected, constraint);
    let radius = match scope.convention.is_oracle() {
        true => radius(&case, &expected),
        false => own_length(&case, &expected, constraint),
    };
    // The bound of each element is added as if all were reached at once; 4 u for the sums here.
    let error = slack(&scope, &case) * error + 1e-14 * radius;
    if holds(length, radius, error) {
        return Ok(Checked::Judged);
    }
    let place = if constrained { "|| D^-1 perturbation ||" } else { "|| perturbation ||" };
    Err(Mismatch::new(
        place,
        format!("{relation} {radius:?} within {error:.1e}"),
        format!("{length:?}"),
    ))
}

/// || perturbation || = rho.
///
/// # Errors
/// A length that is not.
pub fn length_is_rho<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    judge(backend, case, false, |length, radius, error| (length - radius).abs() <= error, "exactly")
}

/// || perturbation || <= rho.
///
/// # Errors
/// A length that is not.
pub fn length_at_most_rho<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    judge(backend, case, false, |length, radius, error| length <= radius + error, "at most")
}

/// || D^-1 perturbation || = rho.
///
/// # Errors
/// A length that is not.
pub fn constrained_length_is_rho<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    judge(backend, case, true, |length, radius, error| (length - radius).abs() <= error, "exactly")
}

/// (perturbed - w) g >= 0, element by element: the core's rounding is monotonic, so without a tolerance; a stranger's
/// need not be, and a dialect has a slope of its own.
///
/// # Errors
/// A parameter that moves against its gradient.
pub fn ascends<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let (case, scope) = (uniform(backend, case), backend.scope());
    let Some(expected) = perturbing(backend, &case)? else { return Ok(Checked::PassedOver) };
    let found = answer(backend, &case)?;
    let slack = if scope.contract { 0.0 } else { slack(&scope, &case) };
    let (pairs, ascent) = (case.segments.iter().zip(&found.segments), &expected.ascent);
    for (index, (from, to)) in pairs.enumerate() {
        let bounds = ascent.perturbed.get(index).map_or(&[][..], |plane| &plane.bounds);
        let own = ascent.perturbation.get(index).map_or(&[][..], |plane| &plane.values);
        let elements = from.params.iter().zip(&from.grads).zip(&to.perturbed);
        for (i, (((w, g), perturbed), (bound, own))) in
            elements.zip(bounds.iter().zip(own)).enumerate()
        {
            let moved = perturbed.to_f64() - w.to_f64();
            let slope = if scope.convention.is_oracle() { g.to_f64() } else { *own };
            if moved * slope < 0.0 && moved.abs() > slack * bound {
                let place = format!("segment {index}: perturbed[{i}] - params[{i}]");
                let sign = format!("the sign of the gradient {g:?}");
                return Err(Mismatch::new(place, sign, format!("{moved:?}")));
            }
        }
    }
    Ok(Checked::Judged)
}
