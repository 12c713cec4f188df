//! [`Planted`]: an entry of the catalogue as code under test.

use super::entry::Entry;
use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case};
use crate::scalar::Scalar;

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
