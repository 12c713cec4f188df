//! [`function`]: code under test that is one function.

use crate::backend::{Backend, Scope};
use crate::case::{Answer, Case};
use crate::scalar::Scalar;
use presam_oracle::Base;

/// A function as a [`Backend`]; made by [`function`].
#[derive(Clone, Debug)]
pub struct Function<F> {
    scope: Scope,
    step: F,
}

/// A backend that claims `scope` and answers by `step`.
pub fn function<R, F: FnMut(&Case<R>) -> Answer<R>>(scope: Scope, step: F) -> Function<F> {
    Function { scope, step }
}

impl<R, F: FnMut(&Case<R>) -> Answer<R>> Backend<R> for Function<F> {
    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn step(&mut self, case: &Case<R>) -> Result<Answer<R>, String> {
        Ok((self.step)(case))
    }
}

impl<R: Scalar> Case<R> {
    /// The base optimizer's learning rate.
    #[must_use]
    pub fn learning_rate(&self) -> R {
        R::from_f64(match self.base {
            Base::Sgd { learning_rate, .. }
            | Base::SgdMomentum { learning_rate, .. }
            | Base::AdamW { learning_rate, .. } => learning_rate,
        })
    }

    /// The base optimizer's weight decay.
    #[must_use]
    pub fn weight_decay(&self) -> R {
        R::from_f64(match self.base {
            Base::Sgd { weight_decay, .. }
            | Base::SgdMomentum { weight_decay, .. }
            | Base::AdamW { weight_decay, .. } => weight_decay,
        })
    }
}
