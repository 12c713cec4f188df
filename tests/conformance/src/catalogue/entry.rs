//! [`Entry`]: one thing that code does otherwise, as a step that can be asked.

use super::ascent::{Ascended, ascend, exact};
use super::descent::descend;
use super::single::{SINGLE, stretch};
use super::twist::{Measure, Twist};
use crate::case::{Answer, Case};
use crate::expected::Expected;
use crate::scalar::Scalar;
use presam_oracle::{Number, Rule};

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

    /// The same, to be held against `answer`: how a norm was rounded to `f32`, and what a subtraction of the
    /// perturbation leaves, is known from it alone.
    pub(super) fn expected_like<R: Scalar>(
        &self,
        case: &Case<R>,
        answer: &Answer<R>,
        subtracts: bool,
    ) -> Expected {
        let concerned = self.concerns(case.rule, case.base.name());
        let mut twist = if concerned { self.twist } else { Twist::NONE };
        if twist.measure == Measure::Single {
            let unrounded = Twist { measure: Measure::Root, ..twist };
            let right = ascend(case, &unrounded).ascent;
            twist.measure = Measure::Times(stretch(case, answer, &right));
        }
        let ascended = ascend(case, &twist);
        let starts = match subtracts {
            true => ascended.after_subtraction(case, answer),
            false => ascended.starts(case, &twist),
        };
        ascended.descended(case, &starts, &twist)
    }

    /// Whether the scalar type shows it: every norm of `f32` numbers is one in `f32`.
    pub(super) fn is_seen_in<R: Scalar>(&self) -> bool {
        self.twist.measure != Measure::Single || R::FORMAT.unit_roundoff < SINGLE
    }

    /// The step: computed in `f64`, rounded once at the end.
    #[must_use]
    pub fn step<R: Scalar>(&self, case: &Case<R>) -> Answer<R> {
        self.expected(case).rounded()
    }
}

fn expected<R: Scalar>(case: &Case<R>, twist: &Twist) -> Expected {
    let ascended = ascend(case, twist);
    let starts = ascended.starts(case, twist);
    ascended.descended(case, &starts, twist)
}

impl Ascended {
    /// The parameters from which the descent starts.
    fn starts<R: Scalar>(&self, case: &Case<R>, twist: &Twist) -> Vec<Vec<Number>> {
        if !twist.restores {
            return self.perturbed.clone();
        }
        case.segments.iter().map(|s| exact(&s.params).collect()).collect()
    }

    /// The same for code that takes the perturbation off the perturbed parameters that it answered.
    fn after_subtraction<R: Scalar>(&self, case: &Case<R>, answer: &Answer<R>) -> Vec<Vec<Number>> {
        let found = case.segments.iter().zip(&answer.segments).zip(&self.perturbation);
        let start = |((w, perturbed), p): ((&R, &R), &Number)| match *p == Number::ZERO {
            true => Number::exact(w.to_f64()),
            false => Number::exact(perturbed.to_f64()) - *p,
        };
        found
            .map(|((from, to), p)| {
                from.params.iter().zip(&to.perturbed).zip(p).map(start).collect()
            })
            .collect()
    }

    fn descended<R: Scalar>(
        self,
        case: &Case<R>,
        starts: &[Vec<Number>],
        twist: &Twist,
    ) -> Expected {
        let descent = descend(case, starts, &self.perturbed, twist);
        Expected { ascent: self.ascent, descent }
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The formula itself, by the same code: what every entry departs from.
pub const RIGHT: Entry = Entry::slip("right", "nothing were changed", |_| true, Twist::NONE);
