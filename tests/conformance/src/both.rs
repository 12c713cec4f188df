//! [`Both`]: two backends, bit by bit.

use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case};
use crate::compare::same_answer;
use crate::scalar::Scalar;

/// Two backends that must agree in every bit; the candidate is judged.
#[derive(Clone, Copy, Debug)]
pub struct Both<A, B> {
    /// What the candidate is compared with.
    pub reference: A,
    /// What is judged.
    pub candidate: B,
}

impl<R: Scalar, A: Backend<R>, B: Backend<R>> Backend<R> for Both<A, B> {
    fn scope(&self) -> Scope {
        self.candidate.scope()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        let found = self.candidate.step(case)?;
        same_answer(&self.reference.step(case)?, &found)
            .map_err(|mismatch| mismatch.to_string())?;
        Ok(found)
    }
}
