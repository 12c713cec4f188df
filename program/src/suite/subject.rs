//! [`Subject`]: what is verified, and how much is asked of it.

use presam_conformance::{Answer, Backend, Case, Config, Convention, Rule, Scalar, Scope};
use serde_json::Value;

use presam_pipe::Operation;

/// What was asked in judging the last case.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness {
    pub case: Option<Value>,
    pub requests: Vec<String>,
}

/// A backend that is verified.
pub(super) trait Subject<R>: Backend<R> {
    /// Whether it still answers: else nothing more is asked.
    fn answers(&self) -> bool;

    /// What the last case asked of it.
    fn witness(&self) -> Witness;
}

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// For each law and rule.
    pub config: Config,
    /// The smallest case is searched for every law that fails, not for each rule's first alone.
    pub every_smallest: bool,
    /// The half of the step.
    pub operation: Operation,
}

/// A subject of which one rule is asked, judged by a convention.
pub(super) struct OneRule<'s, B> {
    pub subject: &'s mut B,
    pub rule: Rule,
    pub convention: Convention,
}

impl<R: Scalar, B: Backend<R>> Backend<R> for OneRule<'_, B> {
    fn scope(&self) -> Scope {
        let scope = self.subject.scope();
        let rules = scope.rules.iter().copied().filter(|rule| *rule == self.rule).collect();
        Scope { rules, convention: self.convention, ..scope }
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        self.subject.step(case)
    }

    fn begins(&mut self, case: &Case<R>) {
        self.subject.begins(case);
    }
}
