//! Test vectors made by the oracle, for those who cannot run a pipe: JSON, or a C header of arrays.

mod c;
mod json;

pub use c::c_header;
pub use json::json;

use presam_conformance::generate::Shape;
use presam_conformance::tolerance::Tolerance;
use presam_conformance::{Case, Config, Expected, Outcome, Phase, Rule, Scalar, Scope, draw};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// The rule.
    pub rule: Rule,
    /// How many cases.
    pub cases: u32,
    /// What they are drawn from.
    pub seed: u64,
}

/// A case, what the oracle makes of it, and how far an implementation may be off, in multiples of the
/// oracle's bounds.
#[derive(Clone, Debug)]
pub struct Vector<R> {
    /// What the step reads.
    pub case: Case<R>,
    /// What it gives.
    pub expected: Expected,
    /// Times the bound: room for another order of summation.
    pub slack: f64,
}

/// Cases of what most codes agree on: one radius, a normalised length with guard 1e-12, ordinary numbers,
/// at least one element.
///
/// # Errors
/// Fewer such cases than asked for.
pub fn vectors<R: Scalar>(request: Request) -> Result<Vec<Vector<R>>, String> {
    // Some that are drawn have no elements, or a norm that rounding decides.
    const DRAWN_FOR_ONE: u32 = 4;
    let Request { rule, cases, seed } = request;
    let scope = Scope::of(&[rule], &["sgd", "sgd-momentum", "adamw"]);
    let drawn = cases.saturating_mul(DRAWN_FOR_ONE).saturating_add(64);
    let drawn = draw::<R>(&scope, &[rule], Shape::Any, Config { cases: drawn, seed })?;
    let vector = |case: Case<R>| {
        let expected = Expected::of(&case).ok()?;
        let slack = Tolerance::foreign(&case).limit(case.rule, case.base, Phase::Perturbed);
        let usable =
            expected.ascent.outcome == Outcome::Perturbed && !expected.is_ill_conditioned();
        (usable && case.elements() > 0).then_some(Vector { case, expected, slack })
    };
    let wanted = usize::try_from(cases).unwrap_or(usize::MAX);
    let vectors: Vec<_> = drawn.into_iter().filter_map(vector).take(wanted).collect();
    if vectors.len() == wanted {
        Ok(vectors)
    } else {
        Err(format!(
            "only {} usable cases of {rule} were drawn; another seed has more",
            vectors.len()
        ))
    }
}
