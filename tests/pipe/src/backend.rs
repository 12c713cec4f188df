//! [`Piped`]: a command as a `Backend` of the conformance suite.

use presam_conformance::{
    Answer, Backend, BoundedVector, Case, Expected, RuleState, Scalar, Scope, Segment,
    SegmentAnswer,
};

use crate::answer::{Reply, ReplySegment};
use crate::hello::Operation;
use crate::request::{Asked, request_line};
use crate::talk::Talk;
use presam_backends::Phases;

/// What fills the parts of an answer that were not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yardstick {
    /// The oracle's numbers, rounded.
    Oracle,
    /// The core's, in every bit.
    Core,
}

/// A command of which steps in one scalar type, or halves of steps, are asked.
///
/// What a command does not answer (the other half, memory that it keeps) is filled in by the yardstick.
pub struct Piped<'t, R> {
    /// The command.
    pub talk: &'t mut Talk,
    /// What is asked of it.
    pub scope: Scope,
    /// The half of the step.
    pub operation: Operation,
    /// What fills the rest.
    pub yardstick: Yardstick,
    case: Option<Case<R>>,
    lines: Vec<String>,
}

impl<'t, R: Scalar> Piped<'t, R> {
    /// `talk` asked within `scope`.
    pub fn new(
        talk: &'t mut Talk,
        scope: Scope,
        operation: Operation,
        yardstick: Yardstick,
    ) -> Self {
        Self { talk, scope, operation, yardstick, case: None, lines: Vec::new() }
    }

    /// The case that was judged last, and the lines that it asked.
    pub fn last(&self) -> (Option<&Case<R>>, &[String]) {
        (self.case.as_ref(), &self.lines)
    }

    fn yardstick(&self, case: &Case<R>) -> Result<Answer<R>, String>
    where
        Phases: Backend<R>,
    {
        match self.yardstick {
            Yardstick::Core => Phases(presam::Cpu::detect()).step(case),
            Yardstick::Oracle => oracle(case),
        }
    }
}

impl<R: Scalar> Backend<R> for Piped<'_, R>
where
    Phases: Backend<R>,
{
    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn begins(&mut self, case: &Case<R>) {
        self.case = Some(case.clone());
        self.lines.clear();
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let asked = Asked::of(&self.talk.hello, self.operation);
        let id = self.lines.len() as u64 + 1;
        self.lines.push(request_line(case, id, asked).map_err(|reason| reason.to_string())?);
        let mut answer = self.yardstick(case)?;
        match self.talk.ask(case, asked).map_err(|fault| fault.to_string())? {
            Reply::Refused(reason) => Err(reason),
            Reply::Step { segments, mean_of_variance } => {
                answer.segments.iter_mut().zip(segments).for_each(|(to, from)| overlay(to, from));
                if let Some(mean) = mean_of_variance {
                    answer.rule_state.mean_of_variance = mean.to_f64();
                }
                Ok(answer)
            }
        }
    }
}

/// What was answered, over what would fill its place.
fn overlay<R>(to: &mut SegmentAnswer<R>, from: ReplySegment<R>) {
    let ReplySegment { perturbed, memory, params, state } = from;
    for (to, from) in [(&mut to.perturbed, perturbed), (&mut to.params, params)] {
        from.into_iter().for_each(|plane| *to = plane);
    }
    for (to, from) in [(&mut to.memory, memory), (&mut to.state, state)] {
        from.into_iter().for_each(|planes| *to = planes);
    }
}

/// The oracle's step in the scalar type.
pub(crate) fn oracle<R: Scalar>(case: &Case<R>) -> Result<Answer<R>, String> {
    let Expected { ascent, descent } = Expected::of(case).map_err(|m| m.to_string())?;
    let rounded = |values: &[f64]| values.iter().map(|x| R::from_f64(*x)).collect::<Vec<R>>();
    let planes = |list: Option<&Vec<BoundedVector>>| {
        list.into_iter().flatten().map(|plane| rounded(&plane.values)).collect()
    };
    let one = |list: &[BoundedVector], index: usize| {
        list.get(index).map(|plane| rounded(&plane.values)).unwrap_or_default()
    };
    let segment = |(index, _): (usize, &Segment<R>)| SegmentAnswer {
        perturbed: one(&ascent.perturbed, index),
        memory: planes(ascent.memory.get(index)),
        params: one(&descent.params, index),
        state: planes(descent.planes.get(index)),
    };
    let RuleState { steps, mean_of_variance } = ascent.state;
    Ok(Answer {
        outcome: ascent.outcome,
        norm: None,
        segments: case.segments.iter().enumerate().map(segment).collect(),
        rule_state: RuleState { steps, mean_of_variance: R::held(mean_of_variance) },
        base_steps: descent.state.steps,
    })
}
