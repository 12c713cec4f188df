//! [`Entry`]: one thing that code does otherwise, as a step that can be asked.

use super::ascent::ascend;
use super::descent::descend;
use super::single::{SINGLE, stretch};
use super::twist::{Measure, Twist};
use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case, SegmentAnswer};
use crate::compare::Expected;
use crate::scalar::Scalar;
use presam_oracle::{BoundedVector, Rule};

/// Whether an entry is somebody's convention or nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A convention of a code of the field.
    Dialect,
    /// A mistake.
    Slip,
}

/// Something that code other than the oracle's does, and its whole step.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name: `norm-per-tensor`.
    pub name: &'static str,
    /// The words after "agrees as" (a dialect) or "differs: exactly as if" (a slip).
    pub says: &'static str,
    /// What it is.
    pub kind: Kind,
    rules: fn(Rule) -> bool,
    bases: &'static [&'static str],
    twist: Twist,
}

/// Every base optimizer.
const BASES: &[&str] = &["sgd", "sgd-momentum", "adamw"];

impl Entry {
    pub(super) const fn dialect(
        name: &'static str,
        says: &'static str,
        rules: fn(Rule) -> bool,
        twist: Twist,
    ) -> Self {
        Self { name, says, kind: Kind::Dialect, rules, bases: BASES, twist }
    }

    pub(super) const fn slip(
        name: &'static str,
        says: &'static str,
        rules: fn(Rule) -> bool,
        twist: Twist,
    ) -> Self {
        Self { name, says, kind: Kind::Slip, rules, bases: BASES, twist }
    }

    /// The same, of these base optimizers alone.
    pub(super) const fn of_bases(self, bases: &'static [&'static str]) -> Self {
        Self { bases, ..self }
    }

    /// Whether a step of this rule with this base optimizer is another one with the entry.
    #[must_use]
    pub fn concerns(&self, rule: Rule, base: &str) -> bool {
        (self.rules)(rule) && self.bases.contains(&base)
    }

    /// What the step gives, each number with the rounding error that other code of the same formula
    /// may make. A rule or base optimizer that the entry does not concern has its right step.
    #[must_use]
    pub fn expected<R: Scalar>(&self, case: &Case<R>) -> Expected {
        let concerned = self.concerns(case.rule, case.base.name());
        expected(case, if concerned { &self.twist } else { &Twist::NONE })
    }

    /// The same, to be held against `answer`: how a norm was rounded to `f32` is known from it alone.
    pub(super) fn expected_like<R: Scalar>(&self, case: &Case<R>, answer: &Answer<R>) -> Expected {
        match self.twist.measure {
            Measure::Single => {
                let unrounded = Twist { measure: Measure::Root, ..self.twist };
                let right = ascend(case, &unrounded).ascent;
                let measure = Measure::Times(stretch(case, answer, &right));
                expected(case, &Twist { measure, ..self.twist })
            }
            _ => self.expected(case),
        }
    }

    /// Whether the scalar type shows it: every norm of `f32` numbers is one in `f32`.
    pub(super) fn is_seen_in<R: Scalar>(&self) -> bool {
        self.twist.measure != Measure::Single || R::FORMAT.unit_roundoff < SINGLE
    }

    /// The step: computed in `f64`, rounded once at the end.
    #[must_use]
    pub fn step<R: Scalar>(&self, case: &Case<R>) -> Answer<R> {
        rounded(&self.expected(case))
    }
}

fn expected<R: Scalar>(case: &Case<R>, twist: &Twist) -> Expected {
    let ascended = ascend(case, twist);
    let descent = descend(case, &ascended.perturbed, twist);
    Expected { ascent: ascended.ascent, descent }
}

/// The formula itself, by the same code: what every entry departs from.
pub const RIGHT: Entry = Entry::slip("right", "nothing were changed", |_| true, Twist::NONE);

/// The values in the scalar type.
pub(super) fn rounded<R: Scalar>(expected: &Expected) -> Answer<R> {
    let Expected { ascent, descent } = expected;
    let plane = |vector: &BoundedVector| -> Vec<R> {
        vector.values.iter().map(|value| R::from_f64(*value)).collect()
    };
    let at = |list: &[BoundedVector], index: usize| list.get(index).map(plane).unwrap_or_default();
    let planes = |list: &[Vec<BoundedVector>], index: usize| -> Vec<Vec<R>> {
        list.get(index).map(|list| list.iter().map(plane).collect()).unwrap_or_default()
    };
    let segments = 0..ascent.perturbed.len();
    Answer {
        outcome: ascent.outcome,
        norm: None,
        segments: segments
            .map(|index| SegmentAnswer {
                perturbed: at(&ascent.perturbed, index),
                memory: planes(&ascent.memory, index),
                params: at(&descent.params, index),
                state: planes(&descent.planes, index),
            })
            .collect(),
        rule_state: ascent.state,
        base_steps: descent.state.steps,
    }
}

/// An entry as code under test: whoever writes checks can see whether they catch it.
#[derive(Clone, Debug)]
pub struct Planted {
    /// What is done.
    pub entry: Entry,
    /// What is claimed.
    pub scope: Scope,
}

impl<R: Scalar> Backend<R> for Planted {
    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        Ok(self.entry.step(case))
    }
}
