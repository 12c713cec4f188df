//! Groups: what does not count is not felt, what is not perturbed stays.

use super::yardstick::{held, is_exact, stayed};
use super::{Checked, Law, any_rule};
use crate::backend::{Backend, Scope};
use crate::case::{Case, Options};
use crate::compare::same_bits;
use crate::generate::Shape;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;

fn groups(scope: &Scope) -> bool {
    scope.groups && scope.ascends
}

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![
        Law {
            name: "unperturbed-stays",
            statement: "a tensor that is not perturbed keeps every bit until the descent",
            rules: any_rule,
            needs: groups,
            shape: Shape::Free,
            check: unperturbed_stays,
        },
        Law {
            name: "uncounted-is-unfelt",
            statement: "the gradient of a tensor that does not count moves no bit of another",
            rules: any_rule,
            needs: groups,
            shape: Shape::Free,
            check: uncounted_is_unfelt,
        },
    ]
}

/// The case with the last segment's options changed.
fn with_last<R: Scalar>(case: &Case<R>, f: impl Fn(Options) -> Options) -> Case<R> {
    let mut case = case.clone();
    if let Some(segment) = case.segments.last_mut() {
        segment.options = f(segment.options);
    }
    case
}

fn unperturbed_stays<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let case = with_last(case, |options| Options { is_perturbed: false, ..options });
    let Some(found) = held(backend, &case)? else { return Ok(Checked::PassedOver) };
    for (index, (from, found)) in case.segments.iter().zip(&found.segments).enumerate() {
        if !from.options.is_perturbed {
            let place = format!("segment {index}: perturbed");
            stayed(backend, &place, (&from.params, &found.perturbed))?;
        }
    }
    Ok(Checked::Judged)
}

fn uncounted_is_unfelt<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    // A lone tensor has no other that could feel it.
    if case.segments.len() < 2 {
        return Ok(Checked::PassedOver);
    }
    let case = with_last(case, |options| Options { counts_in_norm: false, ..options });
    let mut other = case.clone();
    if let Some(segment) = other.segments.last_mut() {
        segment.grads.iter_mut().for_each(|g| *g = R::from_f64(3.0 - g.to_f64()));
    }
    let (Some(found), Some(other)) = (held(backend, &case)?, held(backend, &other)?) else {
        return Ok(Checked::PassedOver);
    };
    if !is_exact(backend) {
        return Ok(Checked::Judged);
    }
    let all_but_last = case.segments.len().saturating_sub(1);
    let pairs = found.segments.iter().zip(&other.segments).take(all_but_last);
    for (index, (found, other)) in pairs.enumerate() {
        same_bits(&format!("segment {index}: perturbed"), &found.perturbed, &other.perturbed)?;
    }
    Ok(Checked::Judged)
}
