//! Gradients that are not finite, given to code that claims nothing of them: three ways are right, and no other.

use super::poison::{NON_FINITE, Which, poison};
use super::yardstick::answer;
use super::{Checked, Law};
use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case, Options, Segment, SegmentAnswer};
use crate::compare::{claimed, may_overflow, same_planes};
use crate::expected::{Expected, FOREIGN};
use crate::generate::Shape;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;
use presam_oracle::{Base, BoundedVector, Input, LengthRule, Rule};

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    vec![Law {
        name: "non-finite-spreads",
        statement: "an infinite or NaN gradient changes nothing, or is refused, or spreads as the formula has it",
        rules: has_no_mask,
        needs: claims_nothing,
        shape: Shape::Free,
        check: spreads,
    }]
}

/// 0 times NaN is NaN, but a mask may choose as well as multiply.
fn has_no_mask(rule: Rule) -> bool {
    rule.input_kinds().iter().all(|kind| *kind != Input::Mask)
}

fn claims_nothing(scope: &Scope) -> bool {
    !scope.contract && !scope.skips
}

/// What a radius, a switch or a weight of 0 does to what is not finite is open: 0 times NaN, or no product at all.
fn weighs_nothing<R: Scalar>(case: &Case<R>, which: Which) -> bool {
    match which {
        Which::First => matches!(case.length, LengthRule::Mixed { lambda: 0.0, .. }),
        Which::Second => {
            let is_damped = matches!(case.base, Base::SgdMomentum { dampening: 1.0, .. });
            is_damped || case.learning_rate().to_f64() == 0.0
        }
    }
}

/// The case with one such gradient; nothing where any answer would do.
fn poisoned<R: Scalar>(
    scope: &Scope,
    case: &Case<R>,
    (which, value): (Which, f64),
) -> Result<Option<Case<R>>, Mismatch> {
    let mut poisoned = case.clone();
    let is_open = weighs_nothing(case, which) || poison(&mut poisoned, value, which, 0).is_none();
    // What rounding decides without such a gradient it decides beside one.
    let is_open = is_open || scope.convention.expected(case)?.is_ill_conditioned();
    Ok(Some(poisoned).filter(|_| !is_open))
}

fn spreads<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let scope = backend.scope();
    let value = NON_FINITE.get(case.elements() % 3).copied().unwrap_or(f64::NAN);
    let mut checked = Checked::PassedOver;
    let case = case.map_options(|options| Options {
        rho: if options.rho == 0.0 { R::held(0.5) } else { options.rho },
        is_perturbed: true,
        ..options
    });
    for (which, asked) in [(Which::First, scope.ascends), (Which::Second, scope.descends)] {
        let Some(case) = poisoned(&scope, &case, (which, value))?.filter(|_| asked) else {
            continue;
        };
        checked = Checked::Judged;
        // It may be refused.
        let Ok(found) = answer(backend, &case) else { continue };
        let spread = scope.convention.spreading(&case, &found);
        let mut found = claimed(&scope, &found, &spread.rounded());
        let unchanged = claimed(&scope, &Answer::unchanged(&case), &spread.rounded());
        if which == Which::Second {
            let subtracts = scope.convention.subtracts;
            skipped_descent(&mut found, (&unchanged, subtracts), &spread.rounded());
        }
        if same_planes(&unchanged, &found).is_err() {
            Spread { case: &case, which, value }.judge(&found, &spread)?;
        } else if which == Which::First && scope.groups {
            skips_always(backend, case)?;
        }
    }
    Ok(checked)
}

/// Where the descent alone changed nothing, it counts as the formula's.
fn skipped_descent<R: Scalar>(
    found: &mut Answer<R>,
    (unchanged, subtracts): (&Answer<R>, bool),
    spread: &Answer<R>,
) {
    // What the code does not answer is the formula's own, NaN among it: compared as bits.
    let same = |a: &[R], b: &[R]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(*b));
    let same_state = |a: &[Vec<R>], b: &[Vec<R>]| a.iter().zip(b).all(|(a, b)| same(a, b));
    let kept = |a: &SegmentAnswer<R>, b: &SegmentAnswer<R>| {
        same(&a.params, &b.params) || (subtracts && is_taken_off_again(a, &b.params))
    };
    let mut pairs = found.segments.iter().zip(&unchanged.segments);
    if pairs.all(|(a, b)| kept(a, b) && same_state(&a.state, &b.state)) {
        for (found, spread) in found.segments.iter_mut().zip(&spread.segments) {
            found.params.clone_from(&spread.params);
            found.state.clone_from(&spread.state);
        }
    }
}

/// Whether the parameters are (w + e) - e: off by the rounding of both and of e.
fn is_taken_off_again<R: Scalar>(found: &SegmentAnswer<R>, params: &[R]) -> bool {
    let room = FOREIGN * R::FORMAT.unit_roundoff;
    let mut numbers = found.params.iter().zip(&found.perturbed).zip(params);
    numbers.all(|((x, up), w)| {
        let [x, up, w] = [x, up, w].map(|number| number.to_f64());
        (x - w).abs() <= room * (up.abs() + w.abs())
    })
}

/// Code that skips such a step where the tensor counts must skip it where it does not: else the tensor's memory keeps
/// what is not finite for ever.
fn skips_always<R: Scalar>(
    backend: &mut dyn Backend<R>,
    mut case: Case<R>,
) -> Result<(), Mismatch> {
    let is_poisoned = |s: &&mut Segment<R>| s.grads.iter().any(|g| !g.to_f64().is_finite());
    let (scope, mut skips) = (backend.scope(), [false; 2]);
    for (skips, counts) in skips.iter_mut().zip([true, false]) {
        let poisoned = case.segments.iter_mut().filter(is_poisoned);
        poisoned.for_each(|s| s.options.counts_in_norm = counts);
        let Ok(found) = answer(backend, &case) else { return Ok(()) };
        let unchanged = Answer::unchanged(&case);
        *skips = same_planes(&unchanged, &claimed(&scope, &found, &unchanged)).is_ok();
    }
    if skips != [true, false] {
        return Ok(());
    }
    let place = "a tensor that does not count has a gradient that is not finite";
    Err(Mismatch::new(place, "a step that is skipped, as where it counts", "a step that is taken"))
}

struct Spread<'a, R> {
    case: &'a Case<R>,
    which: Which,
    value: f64,
}

impl<R: Scalar> Spread<'_, R> {
    fn judge(&self, found: &Answer<R>, spread: &Expected) -> Result<(), Mismatch> {
        for (index, (from, found)) in self.case.segments.iter().zip(&found.segments).enumerate() {
            let place = |name: &str| format!("segment {index}: {name}");
            let expected = spread.ascent.perturbed.get(index);
            let may_stay = self.which == Which::Second || self.value.is_infinite();
            let kept = may_stay.then_some(&from.params);
            let may_spread = self.which == Which::First;
            plane(&place("perturbed"), &found.perturbed, expected, kept, may_spread)?;
            let expected = spread.descent.params.get(index);
            plane(&place("params"), &found.params, expected, None, false)?;
            let memory = (&from.memory[..], &found.memory[..]);
            planes(&place("memory"), memory, spread.ascent.memory.get(index))?;
            let state = (&from.state[..], &found.state[..]);
            planes(&place("state"), state, spread.descent.planes.get(index))?;
        }
        Ok(())
    }
}

/// Memory and state, which may also be kept as they were where the formula has no number.
fn planes<R: Scalar>(
    place: &str,
    (kept, found): (&[Vec<R>], &[Vec<R>]),
    expected: Option<&Vec<BoundedVector>>,
) -> Result<(), Mismatch> {
    let pairs = found.iter().zip(expected.into_iter().flatten()).enumerate();
    for (i, (found, expected)) in pairs {
        plane(&format!("{place}[{i}]"), found, Some(expected), kept.get(i), false)?;
    }
    Ok(())
}

/// Each number near the formula's; where that is not finite, or may be so by rounding, not finite either; or as in `kept`.
fn plane<R: Scalar>(
    place: &str,
    found: &[R],
    expected: Option<&BoundedVector>,
    kept: Option<&Vec<R>>,
    may_spread: bool,
) -> Result<(), Mismatch> {
    let Some(BoundedVector { values, bounds }) = expected else { return Ok(()) };
    for (i, ((found, value), bound)) in found.iter().zip(values).zip(bounds).enumerate() {
        let x = found.to_f64();
        let room = if bound.is_finite() { FOREIGN * bound } else { 0.0 } + 1e-5 * value.abs();
        let is_near = match value.is_finite() {
            true => (x - value).abs() <= room || may_overflow(x, *value, *bound),
            false => !x.is_finite(),
        };
        let is_kept = kept.and_then(|kept| kept.get(i)).is_some_and(|kept| kept.same(*found));
        if !(is_near || is_kept || (may_spread && !x.is_finite())) {
            let expected = format!("{value:?}, or all as it was");
            return Err(Mismatch::new(format!("{place}[{i}]"), expected, format!("{x:?}")));
        }
    }
    Ok(())
}
