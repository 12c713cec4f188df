//! [`Extras`]: what presam's step can do beyond what a case says. [`Stepped`]: what it tells beyond an answer.

use crate::settings::{group, oracle_state, outcome};
use presam::{BaseState, Error, Group, Real, RuleState, SecondGradient, StepReport};
use presam_conformance::{Answer, Case, Scalar};

/// What a step of presam can do and a [`Case`] does not say, since other code need not have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extras {
    /// What the second gradient goes through.
    pub second: SecondGradient<f64>,
    /// The factor by which both gradients are scaled.
    pub loss_scale: f64,
    /// The weight decay of every other segment, in place of the base optimizer's.
    pub weight_decay: Option<f64>,
}

impl Extras {
    /// The step that a case says.
    pub const NONE: Self =
        Self { second: SecondGradient::Checked, loss_scale: 1.0, weight_decay: None };

    /// What the second gradient goes through, in another scalar.
    #[must_use]
    pub fn second<R: Real>(self) -> SecondGradient<R> {
        match self.second {
            SecondGradient::Checked => SecondGradient::Checked,
            SecondGradient::Clipped(most) => SecondGradient::Clipped(R::from_f64(most)),
            SecondGradient::Unchecked => SecondGradient::Unchecked,
        }
    }

    /// A group for each segment of the case.
    ///
    /// # Errors
    /// A radius or decay that core refuses.
    pub fn groups<R: Real + Scalar>(self, case: &Case<R>) -> Result<Vec<Group<R>>, Error> {
        let segments = case.segments.iter().enumerate();
        let each = segments.map(|(index, segment)| {
            let group = group(segment.options)?;
            match self.weight_decay {
                Some(decay) if index % 2 == 1 => group.with_weight_decay(Real::from_f64(decay)),
                _ => Ok(group),
            }
        });
        each.collect()
    }
}

/// What a step left and told.
#[derive(Clone, Debug, PartialEq)]
pub struct Stepped<R> {
    /// In the suite's words.
    pub answer: Answer<R>,
    /// In core's.
    pub report: StepReport<R>,
    /// The rule's counters.
    pub rule_state: RuleState<R>,
    /// The base optimizer's counters.
    pub base_state: BaseState,
    /// What the model reads of each segment before and after the step, where that is a copy of the parameters.
    pub model: Vec<[Vec<R>; 2]>,
}

impl<R: Real + Scalar> Stepped<R> {
    /// Its words in the suite's, over the planes of `answer`.
    #[must_use]
    pub fn told(
        case: &Case<R>,
        answer: Answer<R>,
        report: StepReport<R>,
        (rule_state, base_state): (RuleState<R>, BaseState),
    ) -> Self {
        let answer = Answer {
            outcome: outcome(report.ascent.outcome),
            rule_state: oracle_state(rule_state, case.rule),
            base_steps: base_state.steps.into(),
            ..answer
        };
        Self { answer, report, rule_state, base_state, model: Vec::new() }
    }
}
