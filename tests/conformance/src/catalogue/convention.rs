//! [`Convention`]: by whose step answers are judged.

use super::entry::{Entry, RIGHT};
use crate::case::{Answer, Case};
use crate::expected::Expected;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use std::fmt;

/// By whose step answers are judged: the oracle's, a dialect's, and either with parameters that are restored by
/// subtraction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Convention {
    /// The dialect, where it is not the oracle's step.
    pub entry: Option<&'static Entry>,
    /// Whether the parameters are what is left when the perturbation is taken off again: (w + e) - e.
    pub subtracts: bool,
}

impl Convention {
    /// The oracle's step.
    pub const ORACLE: Self = Self { entry: None, subtracts: false };

    /// Whether it is the oracle's step.
    #[must_use]
    pub fn is_oracle(self) -> bool {
        self == Self::ORACLE
    }

    /// What a step gives.
    ///
    /// # Errors
    /// A case whose planes do not fit its rule.
    pub fn expected<R: Scalar>(self, case: &Case<R>) -> Result<Expected, Mismatch> {
        self.entry.map_or_else(|| Expected::of(case), |entry| Ok(entry.expected(case)))
    }

    /// The same, to be held against `answer`: a norm rounded to `f32` and what a subtraction leaves are read from it,
    /// within what rounding can do and no more.
    ///
    /// # Errors
    /// A case whose planes do not fit its rule.
    pub fn expected_like<R: Scalar>(
        self,
        case: &Case<R>,
        answer: &Answer<R>,
    ) -> Result<Expected, Mismatch> {
        if self.is_oracle() {
            return Expected::of(case);
        }
        Ok(self.entry.unwrap_or(&RIGHT).expected_like(case, answer, self.subtracts))
    }

    /// The step without a look at what is not finite: it spreads as the arithmetic has it.
    pub(crate) fn spreading<R: Scalar>(self, case: &Case<R>, answer: &Answer<R>) -> Expected {
        self.entry.unwrap_or(&RIGHT).expected_like(case, answer, self.subtracts)
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("agrees")?;
        if let Some(entry) = self.entry {
            write!(f, " as {}", entry.says)?;
        }
        if self.subtracts { f.write_str(" but restores by subtraction") } else { Ok(()) }
    }
}
