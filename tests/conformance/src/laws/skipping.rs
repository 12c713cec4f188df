//! Steps that are skipped in the midst of a run: the ones after them must not feel it.

use super::agreement::{evolved, has_diverged};
use super::poison::{NON_FINITE, Which, poison, without_descent};
use super::yardstick::{answer, held_in_run};
use super::{Checked, Law, any_rule};
use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case, Options};
use crate::compare::{claimed, same_planes};
use crate::generate::{Shape, at_first_zero};
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![Law {
        name: "skipped-is-forgotten",
        statement: "steps skipped within a run, for a gradient that is not finite, leave nothing that a later step feels",
        rules: any_rule,
        needs: skips,
        shape: Shape::Free,
        check: skipped_is_forgotten,
    }]
}

fn skips(scope: &Scope) -> bool {
    !scope.contract && scope.skips && scope.ascends && scope.descends
}

fn skipped_is_forgotten<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    // Which gradient of which step is not finite: counters of the two halves part.
    const STEPS: [Option<Which>; 5] = [None, Some(Which::First), None, Some(Which::Second), None];
    let Scope { fresh, convention, .. } = backend.scope();
    // What is neither counted nor perturbed has no ascent that a gradient could spoil.
    let case = case.map_options(|options| Options { is_perturbed: true, ..options });
    let first = at_first_zero(Case { base_steps: 0, rule_state: Default::default(), ..case });
    let mut case = first.clone();
    for (step, which) in (1_u64..).zip(STEPS) {
        let value = NON_FINITE.get((first.elements() + step as usize / 2) % 3).copied();
        let poisoned = which.zip(value).map(|(which, value)| poison(&mut case, value, which, 0));
        if poisoned == Some(None) {
            return Ok(Checked::PassedOver);
        }
        let found = match which {
            Some(Which::First) => Some(skipped(backend, &case)?),
            // A dialect's formula knows of no step without a descent.
            Some(Which::Second) if !convention.is_oracle() => {
                Some(without_descent(backend, &case)?)
            }
            _ => held_in_run(backend, &case, fresh && step > 1, &mut Worst::default())
                .map_err(|mismatch| mismatch.at_step(step))?,
        };
        let Some(found) = found else { return Ok(Checked::PassedOver) };
        case = case.next(&found, &evolved(&first, step));
        if has_diverged(&case) {
            return Ok(Checked::Judged);
        }
    }
    Ok(Checked::Judged)
}

/// The answer of a step that changes nothing.
fn skipped<R: Scalar>(backend: &mut dyn Backend<R>, case: &Case<R>) -> Result<Answer<R>, Mismatch> {
    let found = answer(backend, case)?;
    let unchanged = Answer::unchanged(case);
    same_planes(&unchanged, &claimed(&backend.scope(), &found, &unchanged))?;
    Ok(unchanged)
}
