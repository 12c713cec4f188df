//! The ascent: perturbation = scale * D^2 C s with one global norm || D C s ||.

use crate::about::Statistic;
use crate::element::{Element, PLANES, RuleState, Terms};
use crate::format::{Bounded, BoundedVector, Format};
use crate::length::LengthRule;
use crate::number::Number;
use crate::rules::Rule;
use crate::segment::{Segment, ShapeError};
use crate::sum::{Order, norm, sum};

/// What became of the ascent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The perturbed segments moved (by nothing where rho is 0).
    Perturbed,
    /// Nothing is perturbed; memory is stored and counters advance.
    ///
    /// The norm is exactly 0, or the slope of friendly-sam or friendly-asam is rounding noise
    /// ([`Format::friendly_floor`]).
    ZeroNorm,
    /// The norm or the statistic is NaN or infinite: nothing changes, memory and counters included.
    ///
    /// Only counted segments are looked at.
    NonFinite,
}

/// The result of an ascent, one vector per segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Ascent {
    /// What happened.
    pub outcome: Outcome,
    /// || D C s || over counted segments.
    pub norm: Bounded,
    /// friendly-sam: || g ||; friendly-asam: || D g ||; info-sam and info-asam: mean of v_hat; else 0.
    /// Over counted segments.
    pub statistic: Bounded,
    /// perturbed - w.
    pub perturbation: Vec<BoundedVector>,
    /// w + perturbation.
    pub perturbed: Vec<BoundedVector>,
    /// The new planes of memory of each segment.
    pub memory: Vec<Vec<BoundedVector>>,
    /// The new counters.
    pub state: RuleState,
}

impl Ascent {
    /// Hands the new memory to the segments, for their next step.
    pub fn store_memory(&self, segments: &mut [Segment]) {
        for (segment, planes) in segments.iter_mut().zip(&self.memory) {
            segment.memory = planes.iter().map(|plane| plane.values.clone()).collect();
        }
    }
}

/// One ascent of all segments. The parameters are not touched, so there is nothing to restore.
///
/// # Errors
/// A vector or a number of planes that does not fit the rule.
pub fn ascend(
    rule: Rule,
    length_rule: LengthRule,
    segments: &[Segment],
    state: RuleState,
    format: Format,
) -> Result<Ascent, ShapeError> {
    segments.iter().enumerate().try_for_each(|(index, segment)| segment.check(index, rule))?;
    let terms: Vec<Vec<Terms>> =
        segments.iter().map(|segment| terms_of(rule, segment, state, format)).collect();
    let totals = Totals::of(rule, segments, &terms);
    let outcome = totals.outcome(rule, format);
    let pairs = || segments.iter().zip(&terms);
    let perturbation: Vec<Vec<Number>> =
        pairs().map(|(s, t)| perturbation_of(outcome, length_rule, totals.norm, s, t)).collect();
    let moved = segments.iter().zip(&perturbation);
    Ok(Ascent {
        outcome,
        norm: format.bounded(totals.norm),
        statistic: format.bounded(totals.statistic),
        perturbed: moved.map(|(s, p)| perturbed_of(s, p, format)).collect(),
        perturbation: perturbation.iter().map(|p| format.bounded_vector(p)).collect(),
        memory: pairs().map(|(s, t)| memory_of(outcome, s, t, format)).collect(),
        state: totals.next_state(rule, outcome, state),
    })
}

/// What the rule says of each element of a segment.
fn terms_of(rule: Rule, segment: &Segment, state: RuleState, format: Format) -> Vec<Terms> {
    let planes_at = |planes: &[Vec<f64>], i: usize| {
        let mut numbers = [Number::ZERO; PLANES];
        for (number, plane) in numbers.iter_mut().zip(planes) {
            *number = plane.get(i).map_or(Number::ZERO, |x| Number::exact(*x));
        }
        numbers
    };
    let pairs = segment.params.iter().zip(&segment.grads);
    pairs
        .enumerate()
        .map(|(i, (param, grad))| Element {
            param: Number::exact(*param),
            grad: Number::exact(*grad),
            memory: planes_at(&segment.memory, i),
            inputs: planes_at(&segment.inputs, i),
            operator_applies: segment.operator_applies,
        })
        .map(|element| rule.terms(&element, state).in_format(format))
        .collect()
}

/// The sums over all counted elements.
struct Totals {
    norm: Number,
    statistic: Number,
}

impl Totals {
    fn of(rule: Rule, segments: &[Segment], terms: &[Vec<Terms>]) -> Self {
        let counted: Vec<&Vec<Terms>> =
            segments.iter().zip(terms).filter(|(s, _)| s.counts_in_norm).map(|(_, t)| t).collect();
        let order = Order::of(counted.iter().map(|t| t.len()));
        let collect = |f: fn(&Terms) -> Number| -> Vec<Number> {
            counted.iter().copied().flatten().map(f).collect()
        };
        let parts = collect(|t| t.statistic);
        let statistic = match rule.statistic() {
            Statistic::None => Number::ZERO,
            Statistic::Norm => norm(&parts, order),
            Statistic::Mean if parts.is_empty() => Number::ZERO,
            Statistic::Mean => sum(&parts, order) / parts.len() as f64,
        };
        Self { norm: norm(&collect(|t| t.norm_term), order), statistic }
    }

    fn outcome(&self, rule: Rule, format: Format) -> Outcome {
        let (norm, statistic) = (self.norm.value, self.statistic.value);
        let is_noise = rule.statistic() == Statistic::Norm
            && norm < format.friendly_floor * statistic.max(format.friendly_least);
        if !norm.is_finite() || !statistic.is_finite() {
            Outcome::NonFinite
        } else if norm == 0.0 || is_noise {
            Outcome::ZeroNorm
        } else {
            Outcome::Perturbed
        }
    }

    fn next_state(&self, rule: Rule, outcome: Outcome, state: RuleState) -> RuleState {
        if outcome == Outcome::NonFinite {
            return state;
        }
        let mean_of_variance =
            if rule.statistic() == Statistic::Mean { self.statistic.value } else { 0.0 };
        RuleState { steps: state.steps + 1, mean_of_variance }
    }
}

fn perturbation_of(
    outcome: Outcome,
    length_rule: LengthRule,
    norm: Number,
    segment: &Segment,
    terms: &[Terms],
) -> Vec<Number> {
    // A radius of 0 copies: 0 * infinity would be NaN.
    let moves = outcome == Outcome::Perturbed && segment.is_perturbed && segment.rho != 0.0;
    let element = |t: &Terms| length_rule.perturbation(t.direction, norm, segment.rho);
    terms.iter().map(|t| if moves { element(t) } else { Number::ZERO }).collect()
}

fn perturbed_of(segment: &Segment, perturbation: &[Number], format: Format) -> BoundedVector {
    if perturbation.iter().all(|p| *p == Number::ZERO) {
        return BoundedVector::copied(&segment.params);
    }
    let perturbed: Vec<Number> =
        segment.params.iter().zip(perturbation).map(|(w, p)| *w + *p).collect();
    format.bounded_vector(&perturbed)
}

fn memory_of(
    outcome: Outcome,
    segment: &Segment,
    terms: &[Terms],
    format: Format,
) -> Vec<BoundedVector> {
    if outcome == Outcome::NonFinite {
        return segment.memory.iter().map(|plane| BoundedVector::copied(plane)).collect();
    }
    let mut planes = vec![Vec::new(); segment.memory.len()];
    for t in terms {
        for (plane, number) in planes.iter_mut().zip(t.memory) {
            plane.push(format.stored(number));
        }
    }
    planes.iter().map(|plane| format.bounded_vector(plane)).collect()
}
