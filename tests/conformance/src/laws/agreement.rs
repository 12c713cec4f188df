//! Every number against the oracle.

use super::yardstick::{held_closely, held_within};
use super::{Checked, Law, any_rule, any_scope};
use crate::backend::Backend;
use crate::case::Case;
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
            shape: Shape::Wide,
            check: agrees,
        },
        Law {
            name: "agrees-over-steps",
            statement: "every number of steps in a row, each from what the step before left, is the oracle's",
            rules: any_rule,
            needs: any_scope,
            shape: Shape::Run,
            check: agrees_over_steps,
        },
    ]
}

fn agrees<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    worst: &mut Worst,
) -> Result<Checked, Mismatch> {
    let found = held_closely(backend, case, worst)?;
    Ok(if found.is_some() { Checked::Judged } else { Checked::PassedOver })
}

/// Steps of a run, by the counter of its case: the base optimizer's steps of which it is the last.
fn steps(case_steps: u64, is_contract: bool) -> u64 {
    const USUAL: u64 = 4;
    if is_contract { USUAL } else { case_steps.saturating_add(1).max(USUAL) }
}

fn agrees_over_steps<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    worst: &mut Worst,
) -> Result<Checked, Mismatch> {
    let scope = backend.scope();
    let steps = steps(case.base_steps, scope.contract);
    let mut case = Case { base_steps: 0, rule_state: Default::default(), ..case.clone() };
    if !scope.contract {
        case = at_first_zero(case);
    }
    let first = case.clone();
    for step in 1..=steps {
        let inherits = scope.fresh && step > 1;
        // A norm that is exactly 0 only without the rounding of what was kept decides nothing.
        if inherits && scope.convention.expected(&case)?.ascent.norm.value == 0.0 {
            return Ok(Checked::PassedOver);
        }
        let (tolerance, unit_roundoff) = (Tolerance::of(&scope, &case), R::FORMAT.unit_roundoff);
        let tolerance = if inherits { tolerance.inheriting(unit_roundoff) } else { tolerance };
        let found = held_within(backend, &case, tolerance, worst);
        let found = found.map_err(|mismatch| Mismatch {
            place: format!("step {step}: {}", mismatch.place),
            ..mismatch
        })?;
        let Some(found) = found else { return Ok(Checked::PassedOver) };
        case = case.next(&found, &evolved(&first, step));
        if scope.schedules && !scope.contract {
            case = scheduled(case, &first, step);
        }
    }
    Ok(Checked::Judged)
}

/// Learning rate and radius of the step after `step`, as shares of the first one's.
fn scheduled<R: Scalar>(case: Case<R>, first: &Case<R>, step: u64) -> Case<R> {
    let share = |shares: [f64; 4]| shares.get(step as usize % 4).copied().unwrap_or(1.0);
    let (of_rate, of_rho) = (share([1.0, 0.5, 0.25, 0.75]), share([1.0, 0.75, 1.25, 0.5]));
    let rate = |name, value| if name == "learning_rate" { R::held(value * of_rate) } else { value };
    let mut case = Case { base: first.base.map_settings(rate), ..case };
    for (segment, first) in case.segments.iter_mut().zip(&first.segments) {
        segment.options.rho = R::held(first.options.rho * of_rho);
    }
    case
}

/// Other gradients for the next step, made of the first one's so that they shrink with it and stay in their range:
/// both are rotated and weighed by eighths, which is exact.
fn evolved<R: Scalar>(first: &Case<R>, step: u64) -> Vec<(Vec<R>, Vec<R>)> {
    let weight = [0.75, -0.5, 1.25].get(step as usize % 3).copied().unwrap_or(1.0);
    let turned = |plane: &[R], weight: f64| -> Vec<R> {
        let turn = step as usize % plane.len().max(1);
        let turned = plane.iter().skip(turn).chain(plane.iter().take(turn));
        turned.map(|x| R::from_f64(x.to_f64() * weight)).collect()
    };
    let segments = first.segments.iter();
    segments.map(|s| (turned(&s.grads, weight), turned(&s.perturbed_grads, -weight))).collect()
}
