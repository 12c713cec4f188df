//! The laws, each by name: [`all`].

mod again;
mod agreement;
mod base;
mod groups;
mod length;
mod order;
mod outcome;
mod poison;
mod reduction;
mod scaling;
mod skipping;
mod spread;
mod yardstick;

use crate::backend::{Backend, Scope};
use crate::case::Case;
use crate::generate::Shape;
use crate::report::Mismatch;
use crate::scalar::Scalar;
use crate::worst::Worst;
use presam_oracle::{Claim, LengthRule, Rule};

pub use length::{ascends, constrained_length_is_rho, length_at_most_rho, length_is_rho};
pub use reduction::first_step_is_sam;
pub use scaling::scale_invariant;

/// A property that every correct step has.
#[derive(Clone, Copy)]
pub struct Law<R> {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub statement: &'static str,
    /// The rules it is about.
    pub rules: fn(Rule) -> bool,
    /// What the backend's scope must hold.
    pub needs: fn(&Scope) -> bool,
    /// The size of its cases.
    pub shape: Shape,
    /// Judges one case.
    pub check: Judge<R>,
}

impl<R> Law<R> {
    /// Whether it takes steps by the thousand in each case: one case of it says much.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.name == outcome::LONG
    }
}

/// Judges one case: the first thing that differs, or whether there was anything to judge.
pub type Judge<R> = fn(&mut dyn Backend<R>, &Case<R>, &mut Worst) -> Result<Checked, Mismatch>;

/// Whether a law had something to say of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It was judged.
    Judged,
    /// The law says nothing of it.
    PassedOver,
}

/// Every law.
#[must_use]
pub fn all<R: Scalar>() -> Vec<Law<R>> {
    [
        agreement::laws(),
        length::laws(),
        scaling::laws(),
        reduction::laws(),
        again::laws(),
        base::laws(),
        order::laws(),
        groups::laws(),
        outcome::laws(),
        skipping::laws(),
        spread::laws(),
    ]
    .concat()
}

/// The law of this name.
#[must_use]
pub fn named<R: Scalar>(name: &str) -> Option<Law<R>> {
    all().into_iter().find(|law| law.name == name)
}

fn any_rule(_: Rule) -> bool {
    true
}

fn claims(rule: Rule, claim: Claim) -> bool {
    rule.claims().contains(&claim)
}

fn any_scope(_: &Scope) -> bool {
    true
}

fn contract(scope: &Scope) -> bool {
    scope.contract
}

fn an_ascent(scope: &Scope) -> bool {
    scope.ascends
}

fn a_descent(scope: &Scope) -> bool {
    scope.descends
}

/// Without a guard, where the scope allows it: laws about lengths and scales hold exactly there.
fn unguarded<R: Scalar>(case: &Case<R>, scope: &Scope) -> Case<R> {
    let length = if scope.lengths { LengthRule::NORMALISED } else { case.length };
    Case { length, ..case.clone() }
}
