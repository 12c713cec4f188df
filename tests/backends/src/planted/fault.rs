//! [`Fault`]: what is wrong and which law is there to see it; [`Faulted`]: a right backend with one.

use presam_conformance::{Answer, Backend, Case, Scalar, Scope};

use super::finite::is_poisoned;

/// What earlier questions left, for faults that depend on them.
#[derive(Clone, Debug)]
pub struct Past<R> {
    /// Questions so far.
    pub calls: u64,
    /// The last answer, where it moved a parameter.
    pub last: Option<Answer<R>>,
    /// The learning rate of the first step of this run.
    pub rate: f64,
    /// Whether the last question had a gradient that is not finite.
    pub skipped: bool,
}

impl<R> Default for Past<R> {
    fn default() -> Self {
        Self { calls: 0, last: None, rate: 0.0, skipped: false }
    }
}

/// What a fault does to a right answer.
pub type Spoil<R> = fn(&Case<R>, &mut Answer<R>, &mut Past<R>);

/// A fault and the law that is there to see it.
#[derive(Clone, Copy)]
pub struct Fault<R> {
    /// The law.
    pub law: &'static str,
    /// What is wrong.
    pub says: &'static str,
    /// Other laws that may see it, and why no fault is this law's alone.
    pub also: (&'static [&'static str], &'static str),
    /// Which claims are made: the whole contract, a stranger's, or a stranger's that skips nothing.
    pub claims: Claims,
    /// What is done.
    pub spoil: Spoil<R>,
}

/// The scope in which a fault is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    /// The whole contract: over no pipe.
    Contract,
    /// Groups, lengths, and steps that are skipped.
    Stranger,
    /// The same without a word on gradients that are not finite.
    Silent,
}

impl Claims {
    /// The scope.
    #[must_use]
    pub fn scope(self) -> Scope {
        let skips = self == Self::Stranger;
        let full = Scope::full();
        if self == Self::Contract { full } else { Scope { contract: false, skips, ..full } }
    }
}

/// A right backend with a fault.
pub struct Faulted<R, B> {
    /// What is right.
    pub backend: B,
    /// What is wrong.
    pub fault: Fault<R>,
    past: Past<R>,
}

impl<R, B> Faulted<R, B> {
    /// `backend` with `fault`.
    pub fn new(backend: B, fault: Fault<R>) -> Self {
        Self { backend, fault, past: Past::default() }
    }
}

impl<R: Scalar, B: Backend<R>> Backend<R> for Faulted<R, B> {
    fn scope(&self) -> Scope {
        self.fault.claims.scope()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let mut answer = self.backend.step(case)?;
        self.fault.spoils(case, &mut answer, &mut self.past);
        Ok(answer)
    }
}

impl<R: Scalar> Fault<R> {
    /// Spoils a right answer.
    pub fn spoils(&self, case: &Case<R>, answer: &mut Answer<R>, past: &mut Past<R>) {
        past.calls += 1;
        if case.rule_state.is_first() && case.base_steps == 0 {
            past.rate = case.learning_rate().to_f64();
        }
        (self.spoil)(case, answer, past);
        past.skipped = is_poisoned(case);
        // A step that moves nothing looks the same asked again as gone on with.
        let mut pairs = case.segments.iter().zip(&answer.segments);
        let moves = pairs.any(|(from, to)| from.params != to.params);
        past.last = moves.then(|| answer.clone());
    }
}
