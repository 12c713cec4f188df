//! What a law measures with, besides the code itself: every answer that a law compares with another is first held to
//! the oracle's step, or to the dialect's by which the code is judged.

use crate::backend::{Backend, Nearness};
use crate::case::{Answer, Case};
use crate::compare::{compare, same_bits};
use crate::expected::Expected;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::tolerance::Tolerance;
use crate::worst::Worst;
use presam_oracle::Outcome;

pub(super) fn answer<R>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
) -> Result<Answer<R>, Mismatch> {
    backend.step(case).map_err(Mismatch::no_answer)
}

/// The answer, every number of it near the yardstick's; nothing where rounding decides what the step gives.
///
/// # Errors
/// No answer, or a number that is not the yardstick's.
pub(super) fn held<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
) -> Result<Option<Answer<R>>, Mismatch> {
    // Bits are of one order of summation, which the law may turn.
    let tolerance =
        Tolerance { nearness: Nearness::Bound, ..Tolerance::of(&backend.scope(), case) };
    held_within(backend, case, tolerance, &mut Worst::default())
}

/// The same in units in the last place, where the backend's scope names them.
pub(super) fn held_closely<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    worst: &mut Worst,
) -> Result<Option<Answer<R>>, Mismatch> {
    let tolerance = Tolerance::of(&backend.scope(), case);
    held_within(backend, case, tolerance, worst)
}

pub(super) fn held_within<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    tolerance: Tolerance,
    worst: &mut Worst,
) -> Result<Option<Answer<R>>, Mismatch> {
    let convention = backend.scope().convention;
    let found = match backend.step(case) {
        // Where the dialect's own step is not a number, some raise (Python's division by zero).
        Err(_) if !convention.is_oracle() && convention.expected(case)?.is_void() => {
            return Ok(None);
        }
        found => found.map_err(Mismatch::no_answer)?,
    };
    let expected = convention.expected_like(case, &found)?;
    if expected.is_ill_conditioned() {
        return Ok(None);
    }
    compare(case, &found, &expected, tolerance, worst)?;
    Ok(Some(found))
}

/// The same of a step of a run; where it `inherits`, from what the code itself has kept.
pub(super) fn held_in_run<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    inherits: bool,
    worst: &mut Worst,
) -> Result<Option<Answer<R>>, Mismatch> {
    let scope = backend.scope();
    // A norm that is exactly 0 only without the rounding of what was kept decides nothing.
    let counted = case.segments.iter().filter(|segment| segment.options.counts_in_norm);
    let rests = { counted }.flat_map(|segment| &segment.grads).all(|g| g.to_f64() == 0.0);
    if inherits && !rests && scope.convention.expected(case)?.ascent.norm.value == 0.0 {
        return Ok(None);
    }
    let (tolerance, unit_roundoff) = (Tolerance::of(&scope, case), R::FORMAT.unit_roundoff);
    let tolerance = if inherits { tolerance.inheriting(unit_roundoff) } else { tolerance };
    held_within(backend, case, tolerance, worst)
}

/// The yardstick's view of a case that perturbs in a way that rounding does not decide, else nothing.
pub(super) fn perturbing<R: Scalar>(
    backend: &dyn Backend<R>,
    case: &Case<R>,
) -> Result<Option<Expected>, Mismatch> {
    let expected = backend.scope().convention.expected(case)?;
    let perturbs = expected.ascent.outcome == Outcome::Perturbed && !expected.is_ill_conditioned();
    Ok(perturbs.then_some(expected))
}

/// Whether two answers must be the same bits where the law says so: a stranger's order of summation may depend on
/// what it is given, and a dialect need not have the property.
pub(super) fn is_exact<R>(backend: &dyn Backend<R>) -> bool {
    let scope = backend.scope();
    scope.contract && scope.convention.is_oracle()
}

/// The parameters that were to stay, bit for bit; of a stranger, who may have added 0, but for the sign of a zero.
pub(super) fn stayed<R: Scalar>(
    backend: &dyn Backend<R>,
    place: &str,
    (from, found): (&[R], &[R]),
) -> Result<(), Mismatch> {
    match is_exact(backend) {
        true => same_bits(place, from, found),
        false => same_bits(place, &unsigned(from), &unsigned(found)),
    }
}

/// + 0.0 makes both zeros +0.
pub(super) fn unsigned<R: Scalar>(plane: &[R]) -> Vec<R> {
    plane.iter().map(|x| R::from_f64(x.to_f64() + 0.0)).collect()
}

/// The perturbed parameters of two answers, bit for bit.
pub(super) fn same_perturbed<R: Scalar>(
    expected: &Answer<R>,
    found: &Answer<R>,
) -> Result<(), Mismatch> {
    for (index, (expected, found)) in expected.segments.iter().zip(&found.segments).enumerate() {
        same_bits(&format!("segment {index}: perturbed"), &expected.perturbed, &found.perturbed)?;
    }
    Ok(())
}
