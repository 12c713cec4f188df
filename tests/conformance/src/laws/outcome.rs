//! Numbers that go wrong: every outcome is documented, and leaves what it says it leaves.

use super::poison::{Which, poison, values, without_descent};
use super::yardstick::answer;
use super::{Checked, Judge, Law, any_rule, claims, contract};
use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case, Options, Segment};
use crate::compare::{claimed, compare, same_answer, same_bits, same_planes};
use crate::expected::Expected;
use crate::generate::{Shape, special};
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::tolerance::Tolerance;
use crate::worst::Worst;
use presam_oracle::{Claim, Input, Outcome, Rule, RuleState};

/// Linear in the gradient outside the norm. Inputs other than a mask would leave the range first.
fn takes_any_gradient(rule: Rule) -> bool {
    let are_masks = rule.input_kinds().iter().all(|kind| *kind == Input::Mask);
    claims(rule, Claim::AnyRange) && are_masks
}

/// The name of the law that takes steps by the thousand.
pub(super) const LONG: &str = "memory-dies";

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    let law =
        |name, statement, rules: fn(Rule) -> bool, needs: fn(&Scope) -> bool, check: Judge<R>| {
            Law { name, statement, rules, needs, shape: Shape::Small, check }
        };
    // In a long tensor too, and in one of many.
    let wide = |law: Law<R>| Law { shape: Shape::Wide, ..law };
    let zero = "a zero norm perturbs nothing, stores memory and descends as usual";
    let first = "an infinite or NaN gradient changes nothing: parameters, memory, state, counters";
    let uncounted = "nor does one in a tensor that does not count and is perturbed";
    let second = "an infinite or NaN second gradient leaves parameters, state and its counter";
    let odd = "gradients of 1e20, 1e-30, subnormals and zeros are perturbed as the oracle does";
    let dies = "averages fed with zeros end as +0.0 and do not stick at subnormal numbers";
    vec![
        law("zero-norm", zero, any_rule, contract, zero_norm),
        wide(law("non-finite", first, any_rule, skips_first, non_finite)),
        wide(law(
            "non-finite-uncounted",
            uncounted,
            any_rule,
            skips_uncounted,
            non_finite_uncounted,
        )),
        wide(law("second-non-finite", second, any_rule, skips_second, second_non_finite)),
        law("hostile", odd, takes_any_gradient, contract, hostile),
        law(LONG, dies, survives_zeros, contract, memory_dies),
    ]
}

fn skips_first(scope: &Scope) -> bool {
    scope.contract || (scope.skips && scope.ascends)
}

fn skips_uncounted(scope: &Scope) -> bool {
    skips_first(scope) && scope.groups
}

fn skips_second(scope: &Scope) -> bool {
    scope.contract || (scope.skips && scope.descends)
}

/// The draft divides 0 by 0 where gradients and memory are 0.
fn survives_zeros(rule: Rule) -> bool {
    !matches!(rule, Rule::InfoSamDraft { .. })
}

fn zeros<R: Scalar>(plane: &mut [R]) {
    plane.iter_mut().for_each(|x| *x = R::from_f64(0.0));
}

fn zero_norm<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    worst: &mut Worst,
) -> Result<Checked, Mismatch> {
    let mut case = case.clone();
    for Segment { grads, memory, .. } in &mut case.segments {
        zeros(grads);
        memory.iter_mut().for_each(|plane| zeros(plane));
    }
    // The draft divides by (m - g)^2 from its second step on: 0/0 is not a zero norm.
    if matches!(case.rule, Rule::InfoSamDraft { .. }) {
        case.rule_state = RuleState::default();
    }
    let found = answer(backend, &case)?;
    if found.outcome != Outcome::ZeroNorm {
        return Err(Mismatch::new("outcome", "ZeroNorm", format!("{:?}", found.outcome)));
    }
    for (index, (from, found)) in case.segments.iter().zip(&found.segments).enumerate() {
        same_bits(&format!("segment {index}: perturbed"), &from.params, &found.perturbed)?;
    }
    let tolerance = Tolerance::of(&backend.scope(), &case);
    compare(&case, &found, &Expected::of(&case)?, tolerance, worst)?;
    Ok(Checked::Judged)
}

fn non_finite<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let case = case.map_options(|options| Options { counts_in_norm: true, ..options });
    is_skipped(backend, &case, |_| {})
}

fn non_finite_uncounted<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    is_skipped(backend, case, |segment| {
        segment.options.counts_in_norm = false;
        segment.options.is_perturbed = true;
    })
}

/// Whether nothing changes where a tensor has a gradient that is not finite, and these options.
fn is_skipped<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    with: fn(&mut Segment<R>),
) -> Result<Checked, Mismatch> {
    let values = values(case, backend.scope().contract);
    for (turn, value) in values.into_iter().enumerate() {
        let mut case = case.clone();
        let Some(index) = poison(&mut case, value, Which::First, turn) else {
            return Ok(Checked::PassedOver);
        };
        case.segments.iter_mut().skip(index).take(1).for_each(with);
        let found = answer(backend, &case)?;
        // The norm is told as it is: not compared.
        let expected =
            Answer { outcome: Outcome::NonFinite, norm: found.norm, ..Answer::unchanged(&case) };
        let scope = backend.scope();
        match scope.contract {
            true => same_answer(&expected, &found)?,
            // What it keeps itself is not in its answer.
            false => same_planes(&expected, &claimed(&scope, &found, &expected))?,
        }
    }
    Ok(Checked::Judged)
}

fn second_non_finite<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let values = values(case, backend.scope().contract);
    for (turn, value) in values.into_iter().enumerate() {
        let mut case = case.clone();
        if poison(&mut case, value, Which::Second, turn).is_none() {
            return Ok(Checked::PassedOver);
        }
        without_descent(backend, &case)?;
    }
    Ok(Checked::Judged)
}

fn hostile<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    worst: &mut Worst,
) -> Result<Checked, Mismatch> {
    // Two of three gradients become special ones, chosen by their bits so that the case still shrinks.
    let values = special::<R>();
    // All counted: a norm that leaves out the largest gradient bounds no perturbation.
    let case = case.map_options(|options| Options { counts_in_norm: true, ..options });
    let case = case.map_grads(|g| {
        let hash = g.bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let index = usize::try_from(hash).unwrap_or_default() % (values.len() * 3 / 2);
        values.get(index).copied().unwrap_or(g)
    });
    let found = answer(backend, &case)?;
    let tolerance = Tolerance::of(&backend.scope(), &case);
    compare(&case, &found, &Expected::of(&case)?, tolerance, worst)?;
    Ok(Checked::Judged)
}

fn memory_dies<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    // 4 * 0.999^n < 1 from n = 1386 on.
    const STEPS: usize = 1400;
    let mut case = case.clone();
    let small = R::from_f64(R::FORMAT.smallest_normal * 4.0);
    for Segment { params, grads, perturbed_grads, memory, state, .. } in &mut case.segments {
        [params, grads, perturbed_grads].into_iter().for_each(|plane| zeros(plane));
        memory.iter_mut().chain(state).for_each(|plane| plane.fill(small));
    }
    // Past the first step, which would overwrite what is remembered.
    case.rule_state = RuleState { steps: 2, mean_of_variance: 0.0 };
    case.base_steps = 1;
    for _ in 0..STEPS {
        let found = answer(backend, &case)?;
        case = case.next(&found, &[]);
        case.segments.iter_mut().for_each(|segment| zeros(&mut segment.params));
    }
    for (index, Segment { params, memory, state, options, .. }) in case.segments.iter().enumerate()
    {
        let dead = vec![R::from_f64(0.0); params.len()];
        // A tensor that is neither counted nor perturbed has no ascent, so no memory to renew.
        let memory = memory.iter().filter(|_| options.counts_in_norm || options.is_perturbed);
        for (name, plane) in memory.map(|m| ("memory", m)).chain(state.iter().map(|s| ("state", s)))
        {
            same_bits(&format!("segment {index}: {name}"), &dead, plane)?;
        }
    }
    Ok(Checked::Judged)
}
