//! What the faults of the table do to a right answer, one function each.

use presam_conformance::{
    Answer, Case, Expected, LengthRule, Outcome, Rule, Scalar, Segment, SegmentAnswer,
};

use super::fault::Past;
use super::finite::{is_finite, is_poisoned};

/// The number after `x`.
fn after<R: Scalar>(x: R) -> R {
    let value = x.to_f64();
    if value == 0.0 || !value.is_finite() {
        return x;
    }
    R::from_bits(if value < 0.0 { x.bits() - 1 } else { x.bits() + 1 })
}

fn pairs<'a, R>(
    case: &'a Case<R>,
    answer: &'a mut Answer<R>,
) -> impl Iterator<Item = (&'a Segment<R>, &'a mut SegmentAnswer<R>)> {
    case.segments.iter().zip(&mut answer.segments)
}

/// The perturbed parameters that moved, one unit in the last place up, where `applies`.
fn nudged_where<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, applies: bool) {
    for (from, to) in pairs(case, answer).filter(|_| applies) {
        let pairs = from.params.iter().zip(&mut to.perturbed);
        pairs.filter(|(w, p)| !w.same(**p)).for_each(|(_, p)| *p = after(*p));
    }
}

fn still_where<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, applies: bool) {
    for (from, to) in pairs(case, answer).filter(|_| applies) {
        to.perturbed.clone_from(&from.params);
    }
}

fn stretched<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, factor: f64) {
    for (from, to) in pairs(case, answer) {
        for (w, p) in from.params.iter().zip(&mut to.perturbed) {
            let (w, moved) = (w.to_f64(), p.to_f64());
            *p = R::from_f64(w + (moved - w) * factor);
        }
    }
}

fn largest<R: Scalar>(case: &Case<R>, plane: fn(&Segment<R>) -> &Vec<R>) -> f64 {
    case.segments.iter().flat_map(plane).map(|x| x.to_f64().abs()).fold(0.0, f64::max)
}

pub(super) fn long_tail_stays<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    for (from, to) in pairs(case, answer) {
        let pairs = to.perturbed.iter_mut().zip(&from.params).skip(40);
        pairs.for_each(|(to, from)| *to = *from);
    }
}

pub(super) fn first_rate<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, past: &mut Past<R>) {
    let goes_on = past.last.as_ref().is_some_and(|last| {
        let mut pairs = last.segments.iter().zip(&case.segments);
        let is_other = past.rate != case.learning_rate().to_f64();
        case.base_steps > 0 && is_other && pairs.all(|(last, now)| last.params == now.params)
    });
    let rate = |name, value| if name == "learning_rate" { past.rate } else { value };
    let other = Case { base: case.base.map_settings(rate), ..case.clone() };
    if let (true, Ok(other)) = (goes_on, Expected::of(&other)) {
        let other: Answer<R> = other.rounded();
        let pairs = answer.segments.iter_mut().zip(other.segments);
        pairs.for_each(|(to, from)| to.params = from.params);
    }
}

pub(super) fn too_long<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    stretched(case, answer, 1.001);
}

pub(super) fn mask_too_long<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let is_masked = matches!(case.rule, Rule::Ssam | Rule::FisherSam { .. });
    stretched(case, answer, if is_masked { 2.0 } else { 1.0 });
}

pub(super) fn asam_too_short<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    stretched(case, answer, if matches!(case.rule, Rule::Asam { .. }) { 0.9 } else { 1.0 });
}

pub(super) fn descends<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    stretched(case, answer, -1.0);
}

pub(super) fn above_22_bits<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let is_large = largest(case, |s| &s.grads) > 4_194_304.0;
    still_where(case, answer, is_large);
}

pub(super) fn above_40_bits<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let is_large = largest(case, |s| &s.grads) > 1e12;
    still_where(case, answer, is_large && case.rule == Rule::ObjectivePreconditioner);
}

pub(super) fn large_weights<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let is_large = largest(case, |s| &s.params) > 16_400.0;
    still_where(case, answer, is_large && case.rule == (Rule::Asam { eta: 0.0 }));
}

pub(super) fn fisher_nudged<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    nudged_where(case, answer, case.rule == (Rule::FisherSam { eta: 0.0 }));
}

pub(super) fn vasso_nudged<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let averages = matches!(case.rule, Rule::Vasso { decay } if decay != 0.0);
    nudged_where(case, answer, averages && case.rule_state.is_first());
}

pub(super) fn momentum_nudged<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    nudged_where(case, answer, case.rule == Rule::MomentumSam);
}

pub(super) fn mixed_nudged<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let is_mixed = matches!(case.length, LengthRule::Mixed { lambda: 1.0, .. });
    nudged_where(case, answer, is_mixed);
}

pub(super) fn second_nudged<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, past: &mut Past<R>) {
    nudged_where(case, answer, past.calls.is_multiple_of(2));
}

pub(super) fn chunks_nudged<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let has_chunks = case.segments.iter().any(|s| s.params.len() > 2048);
    nudged_where(case, answer, has_chunks);
}

pub(super) fn beside_empty<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let has_empty = case.segments.iter().any(|s| s.params.is_empty());
    nudged_where(case, answer, has_empty);
}

pub(super) fn no_step_at_zero<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    if case.segments.iter().all(|segment| segment.options.rho == 0.0) {
        pairs(case, answer).for_each(|(from, to)| to.params.clone_from(&from.params));
    }
}

pub(super) fn drifts<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let finite = case.segments.iter().all(|s| is_finite(&s.perturbed_grads) && is_finite(&s.grads));
    let params = answer.segments.iter_mut().flat_map(|s| &mut s.params);
    params.filter(|_| finite).for_each(|w| *w = after(*w));
}

pub(super) fn last_stays<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let last = case.segments.len().saturating_sub(1).max(1);
    pairs(case, answer).skip(last).for_each(|(from, to)| to.perturbed.clone_from(&from.params));
}

pub(super) fn fourth_stays<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    pairs(case, answer).skip(3).for_each(|(from, to)| to.perturbed.clone_from(&from.params));
}

pub(super) fn all_move<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let stays = pairs(case, answer).filter(|(from, _)| !from.options.is_perturbed);
    stays.for_each(|(from, to)| to.perturbed.clone_from(&from.perturbed_grads));
}

pub(super) fn uncounted_felt<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let is_felt = case.segments.iter().any(|s| !s.options.counts_in_norm);
    stretched(case, answer, if is_felt { 0.5 } else { 1.0 });
}

pub(super) fn memory_lost<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    if answer.outcome == Outcome::ZeroNorm {
        pairs(case, answer).for_each(|(from, to)| to.memory.clone_from(&from.memory));
        answer.rule_state = case.rule_state;
    }
}

/// Steps where a gradient is not finite, in tensors that count or in those that do not.
fn steps_on<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, counted: bool) {
    let mut poisoned = case.segments.iter().filter(|s| !is_finite(&s.grads));
    if poisoned.any(|s| s.options.counts_in_norm == counted) {
        for (from, to) in pairs(case, answer) {
            let pairs = to.params.iter_mut().zip(&from.perturbed_grads);
            pairs.for_each(|(w, g)| *w = R::from_f64(w.to_f64() - g.to_f64() - 1.0));
        }
    }
}

pub(super) fn steps_on_nan<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    steps_on(case, answer, true);
}

pub(super) fn steps_uncounted<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    steps_on(case, answer, false);
}

pub(super) fn second_nan<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    for (from, to) in pairs(case, answer) {
        let poisoned = to.params.iter_mut().zip(&from.perturbed_grads);
        poisoned.filter(|(_, g)| !g.to_f64().is_finite()).for_each(|(w, g)| *w = *g);
    }
}

pub(super) fn rests_after_skip<R: Scalar>(
    case: &Case<R>,
    answer: &mut Answer<R>,
    past: &mut Past<R>,
) {
    let goes_on = case.base_steps > 0 || !case.rule_state.is_first();
    still_where(case, answer, past.skipped && goes_on && !is_poisoned(case));
}

pub(super) fn nan_is_zero<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    if case.segments.iter().all(|s| is_finite(&s.grads)) {
        return;
    }
    let zero = R::from_f64(0.0);
    let finite = case.map_grads(|g| if g.to_f64().is_finite() { g } else { zero });
    if let Ok(expected) = Expected::of(&finite) {
        *answer = expected.rounded();
    }
}

pub(super) fn beside_1e30<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let odd = R::from_f64(1e-30);
    let has_odd = case.segments.iter().flat_map(|s| &s.grads).any(|g| g.same(odd));
    still_where(case, answer, has_odd);
}

pub(super) fn sticks<R: Scalar>(case: &Case<R>, answer: &mut Answer<R>, _: &mut Past<R>) {
    let finite = answer.outcome != Outcome::NonFinite;
    // What is neither counted nor perturbed has no memory to renew.
    let ascending = pairs(case, answer)
        .filter(|(from, _)| from.options.counts_in_norm || from.options.is_perturbed);
    let memory = ascending.flat_map(|(_, to)| to.memory.iter_mut().flatten());
    memory.filter(|m| finite && m.to_f64() == 0.0).for_each(|m| *m = R::from_bits(3));
}
