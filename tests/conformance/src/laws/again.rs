//! The same again, after something else.

use super::poison::salt;
use super::yardstick::held;
use super::{Checked, Law, any_rule, any_scope};
use crate::backend::{Backend, Scope};
use crate::case::{Case, Options};
use crate::compare::same_answer;
use crate::generate::{Shape, at_first_zero};
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;
use presam_oracle::{Input, LengthRule, RuleState};

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![Law {
        name: "pure",
        statement: "the same case gives the same bits again, and one in which a single thing differs its own numbers",
        rules: any_rule,
        needs: any_scope,
        shape: Shape::Free,
        check: pure,
    }]
}

fn pure<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let Some(first) = held(backend, case)? else { return Ok(Checked::PassedOver) };
    let scope = backend.scope();
    let changes = changes::<R>(&scope);
    for turn in [0, 1] {
        // Of each case two: one of a cache's keys that was forgotten is enough.
        let change = changes.get((salt(case) + turn * 5) % changes.len().max(1));
        let Some(change) = change else { continue };
        let mut other = case.clone();
        change(&mut other);
        let other = if scope.contract { other } else { at_first_zero(other) };
        held(backend, &other).map_err(|mismatch| Mismatch {
            place: format!("after a case in which one thing is other: {}", mismatch.place),
            ..mismatch
        })?;
    }
    let Some(second) = held(backend, case)? else { return Ok(Checked::PassedOver) };
    same_answer(&first, &second)?;
    Ok(Checked::Judged)
}

/// A change to one thing that a step reads.
type Change<R> = fn(&mut Case<R>);

fn changes<R: Scalar>(scope: &Scope) -> Vec<Change<R>> {
    let mut changes: Vec<Change<R>> = vec![
        |case| case.segments.iter_mut().for_each(|s| halve(&mut s.params)),
        |case| case.segments.iter_mut().for_each(|s| halve(&mut s.grads)),
        |case| case.segments.iter_mut().for_each(|s| halve(&mut s.perturbed_grads)),
        |case| *case = case.map_options(|o| Options { rho: R::held(o.rho * 0.5 + 0.125), ..o }),
        |case| case.rule = case.rule.map_settings(|_, value| R::held(value * 0.5 + 0.125)),
        |case| case.base = set(case, |name| name == "learning_rate"),
        |case| case.base = set(case, |name| name == "weight_decay"),
        |case| {
            case.base =
                set(case, |name| !["learning_rate", "weight_decay", "dampening"].contains(&name))
        },
        other_inputs,
    ];
    if !scope.fresh {
        changes.extend([
            (|case| case.segments.iter_mut().flat_map(|s| &mut s.memory).for_each(|p| halve(p)))
                as Change<R>,
            |case| case.segments.iter_mut().flat_map(|s| &mut s.state).for_each(|p| halve(p)),
            |case| case.rule_state.steps += 1,
            |case| case.base_steps += 1,
            |case| {
                let RuleState { steps, mean_of_variance } = case.rule_state;
                case.rule_state = RuleState { steps, mean_of_variance: mean_of_variance * 0.5 };
            },
        ]);
    }
    if scope.groups {
        changes.extend([
            (|case| flip(case, |o| o.counts_in_norm = !o.counts_in_norm)) as Change<R>,
            |case| flip(case, |o| o.is_perturbed = !o.is_perturbed),
            |case| flip(case, |o| o.operator_applies = !o.operator_applies),
        ]);
    }
    if scope.lengths {
        changes.push(|case| {
            case.length = match case.length {
                LengthRule::Unnormalised => LengthRule::NORMALISED,
                LengthRule::Normalised { norm_guard } => {
                    LengthRule::Mixed { lambda: 0.5, norm_guard }
                }
                LengthRule::Mixed { norm_guard, .. } => LengthRule::Normalised { norm_guard },
            };
        });
        changes.push(|case| {
            case.length = match case.length {
                LengthRule::Unnormalised => LengthRule::Normalised { norm_guard: 0.125 },
                LengthRule::Normalised { norm_guard } => {
                    LengthRule::Normalised { norm_guard: norm_guard + 0.125 }
                }
                LengthRule::Mixed { norm_guard, lambda } => {
                    LengthRule::Mixed { norm_guard, lambda: lambda * 0.5 }
                }
            };
        });
    }
    changes
}

fn halve<R: Scalar>(plane: &mut [R]) {
    plane.iter_mut().for_each(|x| *x = R::from_f64(x.to_f64() * 0.5));
}

/// The base optimizer with other settings of these names.
fn set<R: Scalar>(case: &Case<R>, is_meant: impl Fn(&str) -> bool) -> presam_oracle::Base {
    let other =
        |name, value: f64| if is_meant(name) { R::held(value * 0.5 + 0.0625) } else { value };
    case.base.map_settings(other)
}

/// One tensor's options, the one in the middle.
fn flip<R: Scalar>(case: &mut Case<R>, f: impl Fn(&mut Options)) {
    let middle = case.segments.len() / 2;
    if let Some(segment) = case.segments.get_mut(middle) {
        f(&mut segment.options);
    }
}

fn other_inputs<R: Scalar>(case: &mut Case<R>) {
    let kinds = case.rule.input_kinds();
    for segment in &mut case.segments {
        for (plane, kind) in segment.inputs.iter_mut().zip(kinds) {
            match kind {
                Input::Mask => plane.iter_mut().for_each(|x| *x = R::from_f64(1.0 - x.to_f64())),
                Input::Objective | Input::Constraint => halve(plane),
            }
        }
    }
}
