//! What a backend is asked, and how its answers are judged by somebody's formula.

use super::convention::Convention;
use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case};
use crate::compare::{claimed, compare};
use crate::generate::{Shape, at_first_zero};
use crate::runner::{Config, draw};
use crate::scalar::Scalar;
use crate::tolerance::Tolerance;
use crate::worst::Worst;

/// Cases asked one after the other, with their answers; one step unless the backend keeps its memory.
pub(super) struct Trial<R> {
    steps: Vec<Step<R>>,
    /// Whether the field's conventions agree here.
    pub is_ordinary: bool,
}

/// What was asked, and the answer.
type Step<R> = (Case<R>, Answer<R>);

/// What a formula says of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// Every number is the formula's.
    Agrees,
    /// One is not.
    Differs,
    /// Rounding decides what the formula gives.
    Open,
}

/// Where conventions part: how large the gradients are, and whether there are any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Probe {
    /// As drawn.
    Ordinary,
    /// All first gradients and memory times a power of two.
    Scaled(f64),
    /// The same, the first element of each tensor being 0 with gradient 0.
    ScaledWithZero(f64),
    /// No gradient at all, and none before.
    Zero,
    /// No gradient at all, the memory as drawn.
    NoGradient,
}

/// Near a guard of 1e-12; near 1e-7; far above any guard: 2^-40, 2^-24 and 2^34, exact and squarable in
/// `f32`. Every second trial is ordinary.
const PROBES: [Probe; 10] = [
    Probe::Ordinary,
    Probe::Scaled(1.0 / (1_u64 << 40) as f64),
    Probe::Ordinary,
    Probe::Scaled(1.0 / (1_u64 << 24) as f64),
    Probe::Ordinary,
    Probe::ScaledWithZero((1_u64 << 34) as f64),
    Probe::Ordinary,
    Probe::Zero,
    Probe::Ordinary,
    Probe::NoGradient,
];

/// Steps in a row, for a backend that keeps its memory.
const STEPS: usize = 3;

/// What a diagnosis asks within a scope: ordinary cases, and others where conventions part.
#[derive(Clone, Debug)]
pub struct Questions<R>(Vec<(Case<R>, Probe)>);

impl<R: Scalar> Questions<R> {
    /// `config.cases` of them.
    ///
    /// # Errors
    /// A scope of which no case can be drawn.
    pub fn draw(scope: &Scope, config: Config) -> Result<Self, String> {
        let drawn = draw::<R>(scope, &scope.rules, Shape::Small, config)?;
        let probes = PROBES.into_iter().cycle();
        let question = |(case, probe)| (at_first_zero(probed(case, probe)), probe);
        Ok(Self(drawn.into_iter().zip(probes).map(question).collect()))
    }
}

/// Asks the backend.
///
/// # Errors
/// The first case without an answer, those without a gradient apart.
pub(super) fn trials<R: Scalar>(
    backend: &mut dyn Backend<R>,
    questions: &Questions<R>,
) -> Result<Vec<Trial<R>>, String> {
    let scope = backend.scope();
    let mut trials = Vec::new();
    for (case, probe) in &questions.0 {
        backend.begins(case);
        let has_no_gradient = has_no_gradient(case);
        let steps = match asked(backend, case.clone(), if scope.fresh { STEPS } else { 1 }) {
            // Where other code answers NaN, some raises (Python's division by zero): the other cases tell what
            // it does.
            Err(_) if has_no_gradient => continue,
            steps => steps?,
        };
        trials.push(Trial { steps, is_ordinary: *probe == Probe::Ordinary });
    }
    Ok(trials)
}

fn has_no_gradient<R: Scalar>(case: &Case<R>) -> bool {
    case.segments.iter().flat_map(|segment| &segment.grads).all(|grad| grad.to_f64() == 0.0)
}

fn asked<R: Scalar>(
    backend: &mut dyn Backend<R>,
    mut case: Case<R>,
    count: usize,
) -> Result<Vec<Step<R>>, String> {
    let mut steps = Vec::new();
    for step in 1..=count {
        let answer = backend.step(&case)?;
        if answer.segments.len() != case.segments.len() {
            return Err("another number of segments".into());
        }
        let next = case.next(&answer, &turned(&case, step));
        steps.push((std::mem::replace(&mut case, next), answer));
    }
    Ok(steps)
}

/// Gradients of a later step: each element takes its neighbour's, by eighths, which is exact.
fn turned<R: Scalar>(case: &Case<R>, step: usize) -> Vec<(Vec<R>, Vec<R>)> {
    let weight = [0.75, -0.625, 1.125].get(step % 3).copied().unwrap_or(1.0);
    let turned = |plane: &[R], weight: f64| -> Vec<R> {
        let neighbours = plane.iter().skip(1).chain(plane.iter().take(1));
        neighbours.map(|x| R::from_f64(x.to_f64() * weight)).collect()
    };
    let segments = case.segments.iter();
    segments.map(|s| (turned(&s.grads, weight), turned(&s.perturbed_grads, -weight))).collect()
}

fn probed<R: Scalar>(case: Case<R>, probe: Probe) -> Case<R> {
    match probe {
        Probe::Ordinary => case,
        Probe::Scaled(factor) => scaled(case, factor),
        Probe::Zero => scaled(case, 0.0),
        Probe::NoGradient => case.map_grads(|_| R::from_f64(0.0)),
        Probe::ScaledWithZero(factor) => {
            let mut case = scaled(case, factor);
            for segment in &mut case.segments {
                for plane in [&mut segment.params, &mut segment.grads] {
                    plane.iter_mut().take(1).for_each(|x| *x = R::from_f64(0.0));
                }
            }
            case
        }
    }
}

/// First gradients and what memory holds of them: averages of gradients, then of their squares.
fn scaled<R: Scalar>(case: Case<R>, factor: f64) -> Case<R> {
    let mut case = case.map_grads(|g| R::from_f64(g.to_f64() * factor));
    for segment in &mut case.segments {
        for (plane, factor) in segment.memory.iter_mut().zip([factor, factor * factor]) {
            plane.iter_mut().for_each(|m| *m = R::from_f64(m.to_f64() * factor));
        }
    }
    case.rule_state.mean_of_variance = R::held(case.rule_state.mean_of_variance * factor * factor);
    case
}

impl<R: Scalar> Trial<R> {
    /// Judges the answers by a formula.
    pub fn judge(&self, scope: &Scope, convention: Convention) -> Judged {
        let mut own: Option<Answer<R>> = None;
        for (case, answer) in &self.steps {
            let inherits = own.is_some();
            let kept = own.as_ref().map(|own| remembered(case, own));
            let case = kept.as_ref().unwrap_or(case);
            let Ok(expected) = convention.expected_like(case, answer) else {
                return Judged::Open;
            };
            // In the memory of a later step are rounding errors that the formula did not make.
            let is_void = inherits && expected.ascent.norm.value == 0.0;
            if expected.is_ill_conditioned() || is_void {
                return Judged::Open;
            }
            let (foreign, unit_roundoff) = (Tolerance::foreign(case), R::FORMAT.unit_roundoff);
            let tolerance = if inherits { foreign.inheriting(unit_roundoff) } else { foreign };
            let mine = expected.rounded();
            let found = claimed(scope, answer, &mine);
            if compare(case, &found, &expected, tolerance, &mut Worst::default()).is_err() {
                return Judged::Differs;
            }
            own = scope.fresh.then_some(mine);
        }
        Judged::Agrees
    }
}

/// The case as it stands for a formula that keeps its own memory, state and counters.
fn remembered<R: Scalar>(case: &Case<R>, own: &Answer<R>) -> Case<R> {
    let mut case = case.clone();
    for (segment, own) in case.segments.iter_mut().zip(&own.segments) {
        segment.memory.clone_from(&own.memory);
        segment.state.clone_from(&own.state);
    }
    Case { rule_state: own.rule_state, base_steps: own.base_steps, ..case }
}
