//! An answer against the oracle's, each number within its own bound.

use crate::backend::{Nearness, Scope};
use crate::case::{Answer, Case};
use crate::expected::Expected;
use crate::report::Mismatch;
use crate::scalar::{Scalar, ulps};
use crate::tolerance::Tolerance;
use crate::worst::{Phase, Worst};
use presam_oracle::{Ascent, Bounded, BoundedVector, Outcome, Statistic};

/// Judges `answer`, every number by the tolerance of its phase.
///
/// # Errors
/// The first thing that differs.
pub fn compare<R: Scalar>(
    case: &Case<R>,
    answer: &Answer<R>,
    expected: &Expected,
    tolerance: Tolerance,
    worst: &mut Worst,
) -> Result<(), Mismatch> {
    let mut judge = Judge { case, tolerance, worst };
    let Expected { ascent, descent } = expected;
    if answer.segments.len() != case.segments.len() {
        let (expected, found) = (case.segments.len(), answer.segments.len());
        return Err(Mismatch::new("number of segments", expected, found));
    }
    if tolerance.contract {
        judge.counters(answer, expected)?;
    }
    judge.mean(answer, ascent)?;
    for (index, found) in answer.segments.iter().enumerate() {
        let at = |list: &'static str| format!("segment {index}: {list}");
        judge.plane(
            Phase::Perturbed,
            &at("perturbed"),
            &found.perturbed,
            ascent.perturbed.get(index),
        )?;
        // What is neither counted nor perturbed has no ascent: its memory is renewed or stays.
        let stays = case.segments.get(index).is_some_and(|from| {
            let has_ascent = from.options.counts_in_norm || from.options.is_perturbed;
            !has_ascent && are_same(&from.memory, &found.memory)
        });
        if !stays {
            judge.planes(Phase::Memory, &at("memory"), &found.memory, ascent.memory.get(index))?;
        }
        judge.plane(Phase::Params, &at("params"), &found.params, descent.params.get(index))?;
        judge.planes(Phase::State, &at("state"), &found.state, descent.planes.get(index))?;
    }
    Ok(())
}

fn are_same<R: Scalar>(kept: &[Vec<R>], found: &[Vec<R>]) -> bool {
    let same =
        |a: &Vec<R>, b: &Vec<R>| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(*b));
    kept.len() == found.len() && kept.iter().zip(found).all(|(a, b)| same(a, b))
}

struct Judge<'a, R> {
    case: &'a Case<R>,
    tolerance: Tolerance,
    worst: &'a mut Worst,
}

impl<R: Scalar> Judge<'_, R> {
    /// Outcome, norm and counters.
    fn counters(&mut self, answer: &Answer<R>, expected: &Expected) -> Result<(), Mismatch> {
        let Expected { ascent, descent } = expected;
        if answer.outcome != ascent.outcome {
            let (expected, found) =
                (format!("{:?}", ascent.outcome), format!("{:?}", answer.outcome));
            return Err(Mismatch::new("outcome", expected, found));
        }
        if let Some(norm) = answer.norm.filter(|_| ascent.outcome != Outcome::NonFinite) {
            self.number(Phase::Norm, "norm", norm.value(), ascent.norm, None)?;
        }
        let steps = [
            ("steps of the rule", ascent.state.steps, answer.rule_state.steps),
            ("steps of the base optimizer", descent.state.steps, answer.base_steps),
        ];
        if let Some((name, expected, found)) = steps.into_iter().find(|(_, a, b)| a != b) {
            return Err(Mismatch::new(name, expected, found));
        }
        Ok(())
    }

    /// The mean that the next step needs, of a rule that has one.
    fn mean(&mut self, answer: &Answer<R>, ascent: &Ascent) -> Result<(), Mismatch> {
        if self.case.rule.statistic() != Statistic::Mean || ascent.outcome == Outcome::NonFinite {
            return Ok(());
        }
        let found = answer.rule_state.mean_of_variance;
        self.number(Phase::Mean, "mean of the variance", found, ascent.statistic, None)
    }

    fn planes(
        &mut self,
        phase: Phase,
        place: &str,
        found: &[Vec<R>],
        expected: Option<&Vec<BoundedVector>>,
    ) -> Result<(), Mismatch> {
        let planes = expected.map_or(0, Vec::len);
        if found.len() != planes {
            return Err(Mismatch::new(format!("{place}: planes"), planes, found.len()));
        }
        let mut pairs = found.iter().zip(expected.into_iter().flatten()).enumerate();
        pairs.try_for_each(|(i, (found, expected))| {
            self.plane(phase, &format!("{place}[{i}]"), found, Some(expected))
        })
    }

    fn plane(
        &mut self,
        phase: Phase,
        place: &str,
        found: &[R],
        expected: Option<&BoundedVector>,
    ) -> Result<(), Mismatch> {
        let values = expected.map_or(&[][..], |expected| &expected.values);
        let bounds = expected.map_or(&[][..], |expected| &expected.bounds);
        if found.len() != values.len() {
            return Err(Mismatch::new(format!("{place}: elements"), values.len(), found.len()));
        }
        for (i, ((found, value), bound)) in found.iter().zip(values).zip(bounds).enumerate() {
            let expected = Bounded { value: *value, bound: *bound };
            // The place is only printed where it is needed: formatting it each time would take longest.
            self.number(phase, "", found.to_f64(), expected, Some(*found))
                .map_err(|mismatch| Mismatch { place: format!("{place}[{i}]"), ..mismatch })?;
        }
        Ok(())
    }

    fn number(
        &mut self,
        phase: Phase,
        place: &str,
        found: f64,
        expected: Bounded,
        bits: Option<R>,
    ) -> Result<(), Mismatch> {
        let Bounded { value, bound } = expected;
        let both_nan = found.is_nan() && value.is_nan();
        // Copies of a huge number, and infinities.
        if found == value || both_nan {
            if bound > R::FORMAT.smallest_normal {
                self.worst.record(phase, 0.0);
            }
            return Ok(());
        }
        let error = match self.tolerance.nearness {
            Nearness::Bound if may_overflow(found, value, bound) => return Ok(()),
            Nearness::Bound => {
                let share = (found - value).abs() / bound;
                let limit = self.tolerance.limit(self.case.rule, self.case.base, phase);
                if share <= limit {
                    self.worst.record(phase, share);
                    return Ok(());
                }
                format!("off by {:.3e}, allowed {limit} x {bound:.3e}", (found - value).abs())
            }
            Nearness::Ulps(allowed) => {
                let ulps = ulps(R::from_f64(value), R::from_f64(found));
                if ulps <= u64::from(allowed) {
                    self.worst.record(phase, ulps as f64 / f64::from(allowed.max(1)));
                    return Ok(());
                }
                format!("off by {ulps} units in the last place, allowed {allowed}")
            }
        };
        let expected = format!("{value:?} ({}), {error}", R::from_f64(value).hex());
        let found = bits.map_or(format!("{found:?}"), |bits| format!("{bits:?} ({})", bits.hex()));
        Err(Mismatch::new(place, expected, found))
    }
}

/// Whether a number of which not even the sign is known was divided by what rounding made 0.
pub(crate) fn may_overflow(found: f64, value: f64, bound: f64) -> bool {
    !found.is_finite() && value != 0.0 && bound > value.abs()
}

/// Judges planes bit for bit, all NaNs being one.
///
/// # Errors
/// The first element that differs.
pub fn same_bits<R: Scalar>(place: &str, expected: &[R], found: &[R]) -> Result<(), Mismatch> {
    if expected.len() != found.len() {
        return Err(Mismatch::new(format!("{place}: elements"), expected.len(), found.len()));
    }
    match expected.iter().zip(found).position(|(a, b)| !a.same(*b)) {
        None => Ok(()),
        Some(i) => {
            let shown = |plane: &[R]| {
                plane.get(i).map(|x| format!("{x:?} ({})", x.hex())).unwrap_or_default()
            };
            Err(Mismatch::new(format!("{place}[{i}]"), shown(expected), shown(found)))
        }
    }
}

/// Judges two answers bit for bit: outcome, norm, counters and every plane.
///
/// # Errors
/// The first thing that differs.
pub fn same_answer<R: Scalar>(expected: &Answer<R>, found: &Answer<R>) -> Result<(), Mismatch> {
    if expected.outcome != found.outcome {
        let print = |answer: &Answer<R>| format!("{:?}", answer.outcome);
        return Err(Mismatch::new("outcome", print(expected), print(found)));
    }
    let counters = |answer: &Answer<R>| format!("{:?}, {}", answer.rule_state, answer.base_steps);
    if counters(expected) != counters(found) {
        return Err(Mismatch::new("counters", counters(expected), counters(found)));
    }
    // A backend need not tell its norm.
    if let (Some(a), Some(b)) = (expected.norm, found.norm) {
        same_bits("sum of squares", &[a.sum], &[b.sum])?;
        if a.class != b.class && !a.sum.to_f64().is_nan() {
            return Err(Mismatch::new("range class", a.class, b.class));
        }
    }
    same_planes(expected, found)
}

/// Judges the planes of two answers bit for bit, whatever is said of norm and counters.
///
/// # Errors
/// The first thing that differs.
pub fn same_planes<R: Scalar>(expected: &Answer<R>, found: &Answer<R>) -> Result<(), Mismatch> {
    let count = |name: &str, expected: usize, found: usize| {
        if expected == found { Ok(()) } else { Err(Mismatch::new(name, expected, found)) }
    };
    count("number of segments", expected.segments.len(), found.segments.len())?;
    for (index, (expected, found)) in expected.segments.iter().zip(&found.segments).enumerate() {
        let at = |list: &str| format!("segment {index}: {list}");
        same_bits(&at("perturbed"), &expected.perturbed, &found.perturbed)?;
        same_bits(&at("params"), &expected.params, &found.params)?;
        let lists =
            [("memory", &expected.memory, &found.memory), ("state", &expected.state, &found.state)];
        for (name, expected, found) in lists {
            count(&at(&format!("planes of {name}")), expected.len(), found.len())?;
            for (plane, (expected, found)) in expected.iter().zip(found).enumerate() {
                same_bits(&format!("{}[{plane}]", at(name)), expected, found)?;
            }
        }
    }
    Ok(())
}

/// The answer, with the formula's own numbers where the backend claims none.
pub(crate) fn claimed<R: Scalar>(scope: &Scope, answer: &Answer<R>, mine: &Answer<R>) -> Answer<R> {
    let mut found = answer.clone();
    if scope.fresh || !scope.ascends {
        found.rule_state = mine.rule_state;
    }
    for (found, mine) in found.segments.iter_mut().zip(&mine.segments) {
        if !scope.ascends {
            found.perturbed.clone_from(&mine.perturbed);
        }
        if scope.fresh || !scope.ascends {
            found.memory.clone_from(&mine.memory);
        }
        if !scope.descends {
            found.params.clone_from(&mine.params);
        }
        if scope.fresh || !scope.descends {
            found.state.clone_from(&mine.state);
        }
    }
    found
}
