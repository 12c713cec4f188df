//! What a run says: [`Report`] for a law that holds, [`Failure`] for one that does not.

use crate::worst::Worst;
use std::fmt;

/// A law over the cases it was tried on.
#[derive(Clone, Debug)]
pub struct Report {
    /// The law's name.
    pub law: &'static str,
    /// The scalar type.
    pub scalar: &'static str,
    /// Cases that were judged.
    pub cases: u32,
    /// Cases that the law says nothing of (no norm, or one that is all rounding), passed over.
    pub passed_over: u32,
    /// The largest errors, as shares of the oracle's bounds.
    pub worst: Worst,
    /// Whether it was tried.
    pub verdict: Verdict,
}

/// What became of a law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// The backend claims none of the rules or the contract it is about.
    OutOfScope,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { law, scalar, cases, .. } = self;
        match self.verdict {
            Verdict::OutOfScope => write!(f, "{law:<26} {scalar}  {:>6}  out of scope", 0),
            Verdict::Holds => {
                write!(f, "{law:<26} {scalar}  {cases:>6}  holds")?;
                match self.worst.largest() {
                    Some(worst) => write!(f, ", worst {worst:.3} of the bound"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// A law that does not hold, with the smallest case found.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The law's name.
    pub law: &'static str,
    /// What it states.
    pub statement: &'static str,
    /// Cases judged before the failing one.
    pub cases: u32,
    /// What differs.
    pub mismatch: Mismatch,
    /// The smallest failing case, printed; empty where there is none.
    pub case: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { law, statement, cases, mismatch, case } = self;
        write!(f, "{law} fails after {cases} cases\n  {statement}\n{mismatch}")?;
        if case.is_empty() { Ok(()) } else { write!(f, "\nsmallest case:\n{case}") }
    }
}

impl std::error::Error for Failure {}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// Where: `segment 0: perturbed[3]`.
    pub place: String,
    /// What it should be, in decimal and bits where it is a number.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl Mismatch {
    /// The place of a step that there is none of.
    pub const ANSWER: &'static str = "answer";

    /// Anything printable.
    #[must_use]
    pub fn new(
        place: impl Into<String>,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        Self { place: place.into(), expected: expected.to_string(), found: found.to_string() }
    }

    /// The same, at a step of a run.
    pub(crate) fn at_step(self, step: u64) -> Self {
        Self { place: format!("step {step}: {}", self.place), ..self }
    }

    /// A backend that gave no answer.
    #[must_use]
    pub fn no_answer(reason: impl fmt::Display) -> Self {
        Self::new(Self::ANSWER, "a step", reason)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, expected, found } = self;
        write!(f, "  {place}\n    expected {expected}\n    found    {found}")
    }
}
