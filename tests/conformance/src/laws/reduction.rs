//! What equals what.

use super::yardstick::{held, perturbing, same_perturbed};
use super::{Checked, Judge, Law, any_rule, claims, unguarded};
use crate::backend::{Backend, Scope};
use crate::case::{Case, Options};
use crate::compare::same_bits;
use crate::generate::Shape;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;
use presam_oracle::element::PLANES;
use presam_oracle::{Claim, Element, Input, LengthRule, Number, Rule, RuleState};

/// FisherSAM by its eta; else where the oracle's own first step is SAM's with the operator off.
fn has_neutral_setting(rule: Rule) -> bool {
    let input = |index| {
        let kind = rule.input_kinds().get(index).copied();
        Number::exact(kind.map_or(0.0, neutral_input))
    };
    let climbs = |grad: f64| {
        let (param, grad, memory) = (Number::ONE, Number::exact(grad), [Number::ZERO; PLANES]);
        let inputs = std::array::from_fn(input);
        let element = Element { param, grad, memory, inputs, operator_applies: false };
        let terms = rule.terms(&element, RuleState::default());
        (terms.norm_term.value == terms.direction.value)
            .then_some(terms.direction.value / grad.value)
    };
    let is_sam = climbs(0.5).is_some_and(|scale| climbs(-2.0) == Some(scale));
    rule != Rule::Sam && (is_sam || matches!(rule, Rule::FisherSam { .. }))
}

/// Where a rule with this input is SAM: any positive multiple of the identity for C.
fn neutral_input(kind: Input) -> f64 {
    if kind == Input::Objective { 4.0 } else { 1.0 }
}

fn starts_as_sam(rule: Rule) -> bool {
    claims(rule, Claim::FirstStepIsSam)
}

fn with_sam(scope: &Scope) -> bool {
    scope.contract && scope.rules.contains(&Rule::Sam)
}

pub(super) fn laws<R: Scalar>() -> Vec<Law<R>> {
    let law =
        |name, statement, rules: fn(Rule) -> bool, needs: fn(&Scope) -> bool, check: Judge<R>| {
            Law { name, statement, rules, needs, shape: Shape::Free, check }
        };
    let sam = "every rule is SAM at its neutral setting, bit for bit";
    let first = "a rule with memory starts as SAM, whatever its memory holds";
    let mirror = "momentum-SAM at w is minus SAM at -w";
    let meet =
        "the mixed length is the normalised one at lambda 1 and the unnormalised one at lambda 0";
    vec![
        law("reduces-to-sam", sam, has_neutral_setting, with_sam, reduces_to_sam),
        law("first-step-is-sam", first, starts_as_sam, with_sam, first_step_is_sam),
        law("momentum-sam-mirrors-sam", mirror, is_momentum_sam, with_sam, mirrors_sam),
        law("lengths-meet", meet, any_rule, lengths_and_contract, lengths_meet),
    ]
}

fn is_momentum_sam(rule: Rule) -> bool {
    rule == Rule::MomentumSam
}

fn lengths_and_contract(scope: &Scope) -> bool {
    scope.lengths && scope.contract
}

/// The rule's neutral setting: its hyperparameters, inputs, parameters or counters.
fn neutral<R: Scalar>(case: &Case<R>, scope: &Scope) -> Case<R> {
    let mut case = unguarded(case, scope);
    for segment in &mut case.segments {
        for (plane, kind) in segment.inputs.iter_mut().zip(case.rule.input_kinds()) {
            plane.fill(R::from_f64(neutral_input(*kind)));
        }
        if matches!(case.rule, Rule::Asam { .. }) {
            // |w| = 1; the sign stays.
            let unit = |w: R| R::from_f64(1.0_f64.copysign(w.to_f64()));
            segment.params.iter_mut().for_each(|w| *w = unit(*w));
        }
    }
    let at_zero =
        |name: &str| case.rule.map_settings(|key, value| if key == name { 0.0 } else { value });
    case.rule = match case.rule {
        Rule::Asam { .. } | Rule::FisherSam { .. } => at_zero("eta"),
        Rule::Vasso { .. } => at_zero("decay"),
        Rule::FriendlySam { .. } => at_zero("sigma"),
        Rule::FriendlyAsam { .. } => {
            let rule = at_zero("sigma");
            case = without_operator(&case);
            rule
        }
        other => {
            case.rule_state = RuleState::default();
            case = without_operator(&case);
            other
        }
    };
    case
}

fn without_operator<R: Scalar>(case: &Case<R>) -> Case<R> {
    case.map_options(|options| Options { operator_applies: false, ..options })
}

/// The same step by SAM.
fn sam_of<R: Scalar>(case: &Case<R>) -> Case<R> {
    let mut case = Case { rule: Rule::Sam, ..case.clone() };
    for segment in &mut case.segments {
        segment.memory.clear();
        segment.inputs.clear();
    }
    case
}

fn is_sam<R: Scalar>(backend: &mut dyn Backend<R>, case: &Case<R>) -> Result<Checked, Mismatch> {
    let sam = sam_of(case);
    if perturbing(backend, &sam)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    let (Some(sam), Some(found)) = (held(backend, &sam)?, held(backend, case)?) else {
        return Ok(Checked::PassedOver);
    };
    same_perturbed(&sam, &found)?;
    Ok(Checked::Judged)
}

fn reduces_to_sam<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let neutral = neutral(case, &backend.scope());
    is_sam(backend, &neutral)
}

/// The first step's perturbation is SAM's.
///
/// # Errors
/// A bit that differs.
pub fn first_step_is_sam<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    is_sam(backend, &Case { rule_state: RuleState::default(), ..case.clone() })
}

fn mirrors_sam<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let negated = |plane: &[R]| plane.iter().map(|x| R::from_f64(-x.to_f64())).collect::<Vec<R>>();
    let mut mirrored = sam_of(case);
    for segment in &mut mirrored.segments {
        segment.params = negated(&segment.params);
    }
    if perturbing(backend, &mirrored)?.is_none() {
        return Ok(Checked::PassedOver);
    }
    let (Some(found), Some(sam)) = (held(backend, case)?, held(backend, &mirrored)?) else {
        return Ok(Checked::PassedOver);
    };
    for (index, (found, sam)) in found.segments.iter().zip(&sam.segments).enumerate() {
        // A sum of exactly 0 is +0 on both sides: compared as numbers.
        let canonical = |plane: Vec<R>| -> Vec<R> {
            plane.iter().map(|x| R::from_f64(x.to_f64() + 0.0)).collect()
        };
        let (expected, found) =
            (canonical(negated(&sam.perturbed)), canonical(found.perturbed.clone()));
        same_bits(&format!("segment {index}: perturbed"), &expected, &found)?;
    }
    Ok(Checked::Judged)
}

fn lengths_meet<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
    _: &mut Worst,
) -> Result<Checked, Mismatch> {
    let norm_guard = case.norm_guard().to_f64();
    let with = |length: LengthRule| Case { length, ..case.clone() };
    let pairs = [
        (LengthRule::Normalised { norm_guard }, LengthRule::Mixed { lambda: 1.0, norm_guard }),
        (LengthRule::Unnormalised, LengthRule::Mixed { lambda: 0.0, norm_guard }),
    ];
    for (pure, mixed) in pairs {
        let (pure, mixed) = (held(backend, &with(pure))?, held(backend, &with(mixed))?);
        let (Some(pure), Some(mixed)) = (pure, mixed) else { return Ok(Checked::PassedOver) };
        same_perturbed(&pure, &mixed)?;
    }
    Ok(Checked::Judged)
}
