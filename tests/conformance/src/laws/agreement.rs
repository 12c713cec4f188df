//! Every number against the oracle.

use super::{Checked, Law, answer, any_rule, any_scope};
use crate::backend::Backend;
use crate::case::Case;
use crate::compare::{Expected, compare};
use crate::generate::{Shape, at_first_zero};
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::tolerance::Tolerance;
use crate::worst::Worst;

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![
        Law {
            name: "agrees",
            statement: "every number of a step is the oracle's, within the rounding errors that its formula admits",
            rules: any_rule,
            needs: any_scope,
            shape: Shape::Any,
            check: agrees,
        },
        Law {
            name: "agrees-over-steps",
            statement: "every number of four steps in a row, each from what the step before left, is the oracle's",
            rules: any_rule,
            needs: any_scope,
            shape: Shape::Small,
            check: agrees_over_steps,
        },
    ]
}

fn agrees<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    worst: &mut Worst,
) -> Result<Checked, Mismatch> {
    let expected = Expected::of(case)?;
    if expected.is_ill_conditioned() {
        return Ok(Checked::PassedOver);
    }
    let tolerance = Tolerance::of(&backend.scope());
    compare(case, &answer(backend, case)?, &expected, tolerance, worst)?;
    Ok(Checked::Judged)
}

fn agrees_over_steps<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    worst: &mut Worst,
) -> Result<Checked, Mismatch> {
    const STEPS: usize = 4;
    let tolerance = Tolerance::of(&backend.scope());
    let mut case = Case { base_steps: 0, rule_state: Default::default(), ..case.clone() };
    if !backend.scope().contract {
        case = at_first_zero(case);
    }
    for step in 1..=STEPS {
        let expected = Expected::of(&case)?;
        if expected.is_ill_conditioned() {
            return Ok(Checked::PassedOver);
        }
        let inherits = backend.scope().fresh && step > 1;
        // A norm that is exactly 0 only without the rounding of what was kept decides nothing.
        if inherits && expected.ascent.norm.value == 0.0 {
            return Ok(Checked::PassedOver);
        }
        let unit_roundoff = R::FORMAT.unit_roundoff;
        let tolerance = if inherits { tolerance.inheriting(unit_roundoff) } else { tolerance };
        let answer = answer(backend, &case)?;
        compare(&case, &answer, &expected, tolerance, worst).map_err(|mismatch| Mismatch {
            place: format!("step {step}: {}", mismatch.place),
            ..mismatch
        })?;
        case = case.next(&answer, &evolved(&case, step));
    }
    Ok(Checked::Judged)
}

/// Other gradients for the next step, made of the case's own so that they shrink with it: both are
/// rotated by one element and weighed by eighths, which is exact.
fn evolved<R: Scalar>(case: &Case<R>, step: usize) -> Vec<(Vec<R>, Vec<R>)> {
    let weight = [0.75, -0.5, 1.25].get(step % 3).copied().unwrap_or(1.0);
    let turned = |plane: &[R], weight: f64| -> Vec<R> {
        let turned = plane.iter().skip(1).chain(plane.iter().take(1));
        turned.map(|x| R::from_f64(x.to_f64() * weight)).collect()
    };
    let segments = case.segments.iter();
    segments.map(|s| (turned(&s.grads, weight), turned(&s.perturbed_grads, -weight))).collect()
}
