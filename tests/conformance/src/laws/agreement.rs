//! Every number against the oracle.

use super::yardstick::{held_closely, held_in_run};
use super::{Checked, Law, any_rule, any_scope};
use crate::backend::Backend;
use crate::case::{Case, Segment};
use crate::generate::{Shape, at_first_zero};
use crate::report::Mismatch;
use crate::scalar::Scalar;
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
        let Some(found) = held_in_run(backend, &case, inherits, worst)
            .map_err(|mismatch| mismatch.at_step(step))?
        else {
            return Ok(Checked::PassedOver);
        };
        case = case.next(&found, &evolved(&first, step));
        // A rate times weight decay far above 1 diverges: what overflows is nobody's fault.
        if !scope.contract && has_diverged(&case) {
            return Ok(Checked::Judged);
        }
        if scope.schedules && !scope.contract {
            case = scheduled(case, &first, step);
        }
    }
    Ok(Checked::Judged)
}

/// Whether a parameter has left the range in which squares of it are numbers in `f32`.
pub(super) fn has_diverged<R: Scalar>(case: &Case<R>) -> bool {
    const FAR: f64 = (1_u64 << 32) as f64;
    // Also where it is NaN.
    !case.segments.iter().flat_map(|s| &s.params).all(|w| w.to_f64().abs() < FAR)
}

/// Learning rate and radius of the step after `step`, as shares of the first one's.
fn scheduled<R: Scalar>(case: Case<R>, first: &Case<R>, step: u64) -> Case<R> {
    // Each is 0 now and then: what was switched off comes back.
    let share = |shares: &[f64]| shares.get(step as usize % shares.len()).copied().unwrap_or(1.0);
    let of_rate = share(&[1.0, 0.5, 0.25, 0.75, 0.0]);
    let of_rho = share(&[1.0, 0.75, 0.0, 1.25, 0.5, 1.5]);
    let rate = |name, value| if name == "learning_rate" { R::held(value * of_rate) } else { value };
    let mut case = Case { base: first.base.map_settings(rate), ..case };
    for (segment, first) in case.segments.iter_mut().zip(&first.segments) {
        segment.options.rho = R::held(first.options.rho * of_rho);
    }
    case
}

/// What becomes of a tensor's gradients at a step of a run.
#[derive(Clone, Copy, PartialEq)]
enum Event {
    /// Others, of the same size.
    Other,
    /// Those of the step before, once more.
    Again,
    /// None: a layer that rests for a step, in one pass or in both.
    NoFirst,
    NoSecond,
    Neither,
    /// Eight times as large.
    Jump,
}

/// By step and tensor, and of two cases of other size at other steps.
fn event<R: Scalar>(first: &Case<R>, step: u64, index: usize) -> Event {
    use Event::{Again, Jump, Neither, NoFirst, NoSecond, Other};
    const EVENTS: [Event; 11] =
        [Other, NoSecond, Other, Jump, NoFirst, Other, Again, Other, Neither, Other, Other];
    let at = step as usize * 3 + index * 5 + first.elements() * 7;
    EVENTS.get(at % EVENTS.len()).copied().unwrap_or(Other)
}

/// Other gradients for the next step, made of the first one's so that they shrink with it and stay in their range.
pub(super) fn evolved<R: Scalar>(first: &Case<R>, step: u64) -> Vec<(Vec<R>, Vec<R>)> {
    let tensors = first.segments.iter().enumerate();
    tensors.map(|(index, segment)| gradients(first, step, (index, segment))).collect()
}

/// Those of one tensor, both rotated and weighed by eighths.
fn gradients<R: Scalar>(
    first: &Case<R>,
    step: u64,
    (index, segment): (usize, &Segment<R>),
) -> (Vec<R>, Vec<R>) {
    let event = event(first, step, index);
    match (event, step) {
        (Event::Again, 1) => return (segment.grads.clone(), segment.perturbed_grads.clone()),
        (Event::Again, _) => return gradients(first, step - 1, (index, segment)),
        _ => {}
    }
    let weight = [0.75, -0.5, 1.25].get(step as usize % 3).copied().unwrap_or(1.0);
    let weight = if event == Event::Jump { 8.0 * weight } else { weight };
    let turned = |plane: &[R], weight: f64| -> Vec<R> {
        let turn = step as usize % plane.len().max(1);
        let turned = plane.iter().skip(turn).chain(plane.iter().take(turn));
        turned.map(|x| R::from_f64(x.to_f64() * weight)).collect()
    };
    let unless = |events: [Event; 2], weight| if events.contains(&event) { 0.0 } else { weight };
    let first = unless([Event::NoFirst, Event::Neither], weight);
    let second = unless([Event::NoSecond, Event::Neither], -weight);
    (turned(&segment.grads, first), turned(&segment.perturbed_grads, second))
}
