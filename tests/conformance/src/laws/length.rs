//! How long the perturbation is, and where it points.

use super::{Checked, Law, an_ascent, answer, claims, perturbing, unguarded};
use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case, Options, Segment};
use crate::compare::Expected;
use crate::generate::Shape;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::tolerance::FOREIGN;
use crate::worst::Worst;
use presam_oracle::Claim;

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![
        Law {
            name: "length-is-rho",
            statement: "an objective preconditioner keeps the length: || perturbation || = rho",
            rules: |rule| claims(rule, Claim::LengthIsRho),
            needs: an_ascent,
            shape: Shape::Any,
            check: length_is_rho,
        },
        Law {
            name: "length-at-most-rho",
            statement: "a mask outside the norm, and D <= 1, shorten: || perturbation || <= rho",
            rules: |rule| claims(rule, Claim::LengthAtMostRho),
            needs: an_ascent,
            shape: Shape::Any,
            check: length_at_most_rho,
        },
        Law {
            name: "constrained-length-is-rho",
            statement: "the constraint holds with equality: || D^-1 perturbation || = rho",
            rules: |rule| claims(rule, Claim::ConstrainedLengthIsRho),
            needs: an_ascent,
            shape: Shape::Any,
            check: constrained_length_is_rho,
        },
        Law {
            name: "ascends",
            statement: "no parameter moves against its gradient where C, D >= 0 and the slope is g",
            rules: |rule| claims(rule, Claim::Ascends),
            needs: an_ascent,
            shape: Shape::Any,
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
fn slack(scope: &Scope) -> f64 {
    if scope.contract { 1.0 } else { FOREIGN }
}

/// Judges a length by a comparison with (length, radius, error).
fn judge<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    constrained: bool,
    holds: fn(f64, f64, f64) -> bool,
    relation: &str,
) -> Result<Checked, Mismatch> {
    let case = uniform(backend, case);
    let Some(expected) = perturbing(&case)? else { return Ok(Checked::PassedOver) };
    let found = answer(backend, &case)?;
    let (length, error) = measured(&case, &found, &expected, |segment, i| {
        if constrained { constraint(&case, segment, i) } else { 1.0 }
    });
    let radius = radius(&case, &expected);
    // The bound of each element is added as if all were reached at once; 4 u for the sums here.
    let error = slack(&backend.scope()) * error + 1e-14 * radius;
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

/// (perturbed - w) g >= 0, element by element: rounding is monotonic, so without a tolerance.
///
/// # Errors
/// A parameter that moves against its gradient.
pub fn ascends<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let case = uniform(backend, case);
    if perturbing(&case)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    let found = answer(backend, &case)?;
    for (index, (from, to)) in case.segments.iter().zip(&found.segments).enumerate() {
        let elements = from.params.iter().zip(&from.grads).zip(&to.perturbed);
        for (i, ((w, g), perturbed)) in elements.enumerate() {
            let moved = perturbed.to_f64() - w.to_f64();
            if moved * g.to_f64() < 0.0 {
                let place = format!("segment {index}: perturbed[{i}] - params[{i}]");
                let sign = format!("the sign of the gradient {g:?}");
                return Err(Mismatch::new(place, sign, format!("{moved:?}")));
            }
        }
    }
    Ok(Checked::Judged)
}
