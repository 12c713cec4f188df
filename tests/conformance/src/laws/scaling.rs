//! What powers of two leave alone, bit for bit.

use super::yardstick::{held, is_exact, perturbing, same_perturbed};
use super::{Checked, Law, claims, contract, unguarded};
use crate::backend::{Backend, Scope};
use crate::case::{Case, Segment};
use crate::compare::same_bits;
use crate::generate::Shape;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;
use presam_oracle::{Claim, Rule, RuleState};

fn lengths(scope: &Scope) -> bool {
    scope.lengths && scope.ascends
}

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![
        Law {
            name: "scale-invariant",
            statement: "g -> c g, all history scaled too, changes no bit of the perturbation (c a power of two)",
            rules: |rule| claims(rule, Claim::ScaleInvariant),
            needs: lengths,
            shape: Shape::Free,
            check: scale_invariant,
        },
        Law {
            name: "range",
            statement: "nor where the squares of c g overflow, or vanish",
            rules: |rule| claims(rule, Claim::AnyRange),
            needs: contract,
            shape: Shape::Free,
            check: range,
        },
        Law {
            name: "layer-rescaling",
            statement: "ASAM with eta 0: (a w1, w2 / a) with (g1 / a, a g2) is perturbed by (a p1, p2 / a)",
            rules: |rule| matches!(rule, Rule::Asam { .. }),
            needs: lengths,
            shape: Shape::Free,
            check: layer_rescaling,
        },
    ]
}

fn times<R: Scalar>(plane: &mut [R], factor: f64) {
    plane.iter_mut().for_each(|x| *x = R::from_f64(x.to_f64() * factor));
}

/// The case with every gradient, past ones too, multiplied by `c`.
fn scaled<R: Scalar>(case: &Case<R>, c: f64) -> Case<R> {
    let mut scaled = case.clone();
    for segment in &mut scaled.segments {
        times(&mut segment.grads, c);
        // m has the unit of g, v that of g^2.
        for (plane, factor) in segment.memory.iter_mut().zip([c, c * c]) {
            times(plane, factor);
        }
    }
    let RuleState { steps, mean_of_variance } = case.rule_state;
    scaled.rule_state = RuleState { steps, mean_of_variance: mean_of_variance * (c * c) };
    scaled
}

/// Without what has a unit: the guard, and an absolute damping.
fn unitless<R: Scalar>(case: &Case<R>, scope: &Scope) -> Case<R> {
    let mut case = unguarded(case, scope);
    case.rule =
        case.rule.map_settings(|name, value| if name == "absolute_damping" { 0.0 } else { value });
    case
}

fn invariant_under<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    factors: [f64; 2],
) -> Result<Checked, Mismatch> {
    let case = unitless(case, &backend.scope());
    if perturbing(backend, &case)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    let Some(plain) = held(backend, &case)? else { return Ok(Checked::PassedOver) };
    for c in factors {
        let found = held(backend, &scaled(&case, c)).and_then(|found| match found {
            Some(found) if is_exact(backend) => same_perturbed(&plain, &found),
            _ => Ok(()),
        });
        found.map_err(|mismatch| Mismatch {
            place: format!("c = {c:e}: {}", mismatch.place),
            ..mismatch
        })?;
    }
    Ok(Checked::Judged)
}

/// g -> c g changes no bit.
///
/// # Errors
/// One that it changes.
pub fn scale_invariant<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    invariant_under(backend, case, [1.0 / 128.0, 512.0])
}

fn range<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let exponent = R::CLASS_EXPONENT * 11 / 16;
    invariant_under(backend, case, [2_f64.powi(-exponent), 2_f64.powi(exponent)])
}

fn layer_rescaling<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let case = Case { rule: Rule::Asam { eta: 0.0 }, ..unguarded(case, &backend.scope()) }
        .map_options(|options| crate::case::Options { operator_applies: true, ..options });
    if perturbing(backend, &case)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    // Alternately a layer and the one that undoes its scale.
    let factor = |index: usize| if index.is_multiple_of(2) { 4.0 } else { 0.25 };
    let mut rescaled = case.clone();
    for (index, Segment { params, grads, .. }) in rescaled.segments.iter_mut().enumerate() {
        times(params, factor(index));
        times(grads, 1.0 / factor(index));
    }
    let (Some(plain), Some(found)) = (held(backend, &case)?, held(backend, &rescaled)?) else {
        return Ok(Checked::PassedOver);
    };
    if !is_exact(backend) {
        return Ok(Checked::Judged);
    }
    for (index, (plain, found)) in plain.segments.iter().zip(&found.segments).enumerate() {
        let mut expected = plain.perturbed.clone();
        times(&mut expected, factor(index));
        same_bits(&format!("segment {index}: perturbed"), &expected, &found.perturbed)?;
    }
    Ok(Checked::Judged)
}
