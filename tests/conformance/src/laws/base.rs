//! The base optimizer behind the ascent.

use super::yardstick::{held, perturbing, stayed, unsigned};
use super::{Checked, Law, a_descent, an_ascent, any_rule};
use crate::backend::Backend;
use crate::case::{Case, Options};
use crate::compare::same_bits;
use crate::generate::{Shape, at_rest};
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![
        Law {
            name: "rho-zero-is-the-base",
            statement: "rho = 0 perturbs no bit: the step is the base optimizer's, whatever the first gradient",
            rules: any_rule,
            needs: an_ascent,
            shape: Shape::Free,
            check: rho_zero_is_the_base,
        },
        Law {
            name: "restored",
            statement: "with learning rate 0 the parameters are back, exactly, after the step, and the state is the base optimizer's",
            rules: any_rule,
            needs: a_descent,
            shape: Shape::Free,
            check: restored,
        },
    ]
}

fn rho_zero_is_the_base<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    if perturbing(backend, case)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    let case = case.map_options(|options| Options { rho: 0.0, ..options });
    // Twice as long: another finite gradient, that no rule takes for the first.
    let other = case.map_grads(|g| R::from_f64(-2.0 * g.to_f64()));
    if perturbing(backend, &other)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    let (Some(found), Some(other)) = (held(backend, &case)?, held(backend, &other)?) else {
        return Ok(Checked::PassedOver);
    };
    let own = backend.scope().convention.expected(&case)?.ascent.perturbation;
    let pairs = case.segments.iter().zip(&found.segments).zip(&own);
    for (index, ((from, found), own)) in pairs.enumerate() {
        // A dialect that does not read rho moves as ever.
        if own.values.iter().all(|p| *p == 0.0) {
            let place = format!("segment {index}: perturbed");
            stayed(backend, &place, (&from.params, &found.perturbed))?;
        }
    }
    // A dialect may have weight decay of the first gradient's in its descent.
    if !backend.scope().convention.is_oracle() {
        return Ok(Checked::Judged);
    }
    for (index, (found, other)) in found.segments.iter().zip(&other.segments).enumerate() {
        let place = |name: &str| format!("segment {index}: {name} with another first gradient");
        same_bits(&place("params"), &found.params, &other.params)?;
        for (found, other) in found.state.iter().zip(&other.state) {
            same_bits(&place("state"), found, other)?;
        }
    }
    Ok(Checked::Judged)
}

fn restored<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let case = at_rest(case);
    let Some(found) = held(backend, &case)? else { return Ok(Checked::PassedOver) };
    // What a subtraction leaves is held to the yardstick alone.
    if backend.scope().convention.subtracts {
        return Ok(Checked::Judged);
    }
    for (index, (from, found)) in case.segments.iter().zip(&found.segments).enumerate() {
        // w - 0 has w's bits but for the sign of a zero.
        let place = format!("segment {index}: params");
        same_bits(&place, &unsigned(&from.params), &unsigned(&found.params))?;
    }
    Ok(Checked::Judged)
}
