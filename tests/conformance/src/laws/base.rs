//! The base optimizer behind the ascent.

use super::{Checked, Law, a_descent, an_ascent, answer, any_rule};
use crate::backend::Backend;
use crate::case::{Case, Options};
use crate::compare::same_bits;
use crate::generate::Shape;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![
        Law {
            name: "rho-zero-is-the-base",
            statement: "rho = 0 perturbs no bit, and the step does not depend on the first gradient",
            rules: any_rule,
            needs: an_ascent,
            shape: Shape::Any,
            check: rho_zero_is_the_base,
        },
        Law {
            name: "restored",
            statement: "with learning rate 0 the parameters are back, exactly, after the step",
            rules: any_rule,
            needs: a_descent,
            shape: Shape::Any,
            check: restored,
        },
    ]
}

fn rho_zero_is_the_base<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    if super::perturbing(case)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    let case = case.map_options(|options| Options { rho: 0.0, ..options });
    // Twice as long: another finite gradient, that no rule takes for the first.
    let other = case.map_grads(|g| R::from_f64(-2.0 * g.to_f64()));
    if super::perturbing(&other)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    let (found, other) = (answer(backend, &case)?, answer(backend, &other)?);
    for (index, (from, found)) in case.segments.iter().zip(&found.segments).enumerate() {
        same_bits(&format!("segment {index}: perturbed"), &from.params, &found.perturbed)?;
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
    let at_rest = |name, value| if name == "learning_rate" { 0.0 } else { value };
    let case = Case { base: case.base.map_settings(at_rest), ..case.clone() };
    let found = answer(backend, &case)?;
    for (index, (from, found)) in case.segments.iter().zip(&found.segments).enumerate() {
        // w - 0 has w's bits but for the sign of a zero: + 0.0 makes both +0.
        let unsigned = |plane: &[R]| -> Vec<R> {
            plane.iter().map(|x| R::from_f64(x.to_f64() + 0.0)).collect()
        };
        let place = format!("segment {index}: params");
        same_bits(&place, &unsigned(&from.params), &unsigned(&found.params))?;
    }
    Ok(Checked::Judged)
}
