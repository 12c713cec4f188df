//! How much of the oracle's bound an implementation may use.

use crate::backend::{Nearness, Scope};
use crate::case::Case;
use crate::expected::FOREIGN;
use crate::worst::{Phase, Worst};
use presam_oracle::sum::Order;
use presam_oracle::{Base, Rule};

/// Tolerances for one backend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Whether outcomes, norms and counters are judged too.
    pub contract: bool,
    /// Whether [`LIMITS`] hold; else the whole bound, times a factor for another order of summation.
    pub measured: bool,
    /// Whether bounds or units in the last place are what counts.
    pub nearness: Nearness,
    /// How many times the bound: more than once where errors of earlier steps are in the numbers.
    pub inherited: f64,
    /// How many times the bound of what depends on a sum over all elements, for another order of summation.
    pub summed: f64,
    /// How many times that of memory, parameters and state, which depend on the element alone.
    pub alone: f64,
}

impl Tolerance {
    /// For a backend of this scope.
    #[must_use]
    pub fn of<R>(scope: &Scope, case: &Case<R>) -> Self {
        let (measured, nearness) = (scope.contract, scope.nearness);
        let foreign = Self::foreign(case);
        // A dialect's descent may start from the perturbed parameters.
        let alone = if scope.convention.is_oracle() { FOREIGN } else { foreign.summed };
        Self { contract: scope.contract, measured, nearness, alone, ..foreign }
    }

    /// For code that sums in an order of its own, whatever the backend.
    ///
    /// Of n terms each passes through at most n - 1 additions, where the oracle's bound counts its own depth d:
    /// (n/2 + 1) / (d/2 + 1) for the norm, less for what depends on it; never less than [`FOREIGN`].
    #[must_use]
    pub fn foreign<R>(case: &Case<R>) -> Self {
        let lengths = case.segments.iter().map(|segment| segment.params.len());
        let (terms, depth) = (lengths.clone().sum::<usize>() as f64, Order::of(lengths).depth);
        let summed = ((terms / 2.0 + 1.0) / (depth / 2.0 + 1.0)).max(FOREIGN);
        let nearness = Nearness::Bound;
        let (contract, measured, inherited, alone) = (false, false, 1.0, FOREIGN);
        Self { contract, measured, nearness, inherited, summed, alone }
    }

    /// For a later step of a backend that keeps its memory and state: its own rounding errors, which
    /// the oracle did not see, are in them, and a difference of near numbers makes them larger.
    ///
    /// 2^20 in `f64` leaves every slip visible by nine digits; `f32` has no more than 2^6 to give.
    #[must_use]
    pub fn inheriting(self, unit_roundoff: f64) -> Self {
        let inherited = if unit_roundoff < 1e-10 { 1_048_576.0 } else { 64.0 };
        Self { inherited, ..self }
    }

    /// The largest error allowed, as a share of the oracle's bound.
    #[must_use]
    pub fn limit(self, rule: Rule, base: Base, phase: Phase) -> f64 {
        if !self.measured {
            let is_summed = matches!(phase, Phase::Norm | Phase::Perturbed | Phase::Mean);
            return self.inherited * if is_summed { self.summed } else { self.alone };
        }
        let row = match phase {
            Phase::Params | Phase::State => base.name(),
            _ => rule.name(),
        };
        LIMITS
            .iter()
            .find(|(name, which, _)| *name == row && *which == phase)
            .map_or(1.0, |(_, _, limit)| *limit)
    }
}

/// The most elements for which [`FOREIGN`] is room enough for another order of summation.
pub const FOREIGN_ELEMENTS: usize = 64;

/// (rule or base optimizer, phase, largest share of the bound allowed): half as much again as
/// the worst seen in 3,072 cases (agreement.rs prints them), and never more than the bound itself.
///
/// [`too_loose`] fails a row that is more than four times what is seen.
#[rustfmt::skip]
pub const LIMITS: &[(&str, Phase, f64)] = &[
    ("sam", Phase::Norm, 0.75),
    ("sam", Phase::Perturbed, 1.0),
    ("asam", Phase::Norm, 0.85),
    ("asam", Phase::Perturbed, 1.0),
    ("fisher-sam", Phase::Norm, 0.60),
    ("fisher-sam", Phase::Perturbed, 1.0),
    ("info-sam-draft", Phase::Norm, 1.0),
    ("info-sam-draft", Phase::Perturbed, 1.0),
    ("info-sam-draft", Phase::Memory, 1.0),
    ("info-sam", Phase::Norm, 0.75),
    ("info-sam", Phase::Perturbed, 1.0),
    ("info-sam", Phase::Memory, 1.0),
    ("info-sam", Phase::Mean, 1.0),
    ("info-asam", Phase::Norm, 0.75),
    ("info-asam", Phase::Perturbed, 1.0),
    ("info-asam", Phase::Memory, 1.0),
    ("info-asam", Phase::Mean, 1.0),
    ("vasso", Phase::Norm, 0.75),
    ("vasso", Phase::Perturbed, 1.0),
    ("vasso", Phase::Memory, 1.0),
    ("friendly-sam", Phase::Norm, 0.75),
    ("friendly-sam", Phase::Perturbed, 1.0),
    ("friendly-sam", Phase::Memory, 1.0),
    ("ssam", Phase::Norm, 0.75),
    ("ssam", Phase::Perturbed, 1.0),
    ("masked-sam", Phase::Norm, 0.75),
    ("masked-sam", Phase::Perturbed, 1.0),
    ("momentum-sam", Phase::Norm, 0.75),
    ("momentum-sam", Phase::Perturbed, 1.0),
    ("objective-preconditioner", Phase::Norm, 0.75),
    ("objective-preconditioner", Phase::Perturbed, 1.0),
    ("constraint-preconditioner", Phase::Norm, 0.80),
    ("constraint-preconditioner", Phase::Perturbed, 1.0),
    ("pre-sam", Phase::Norm, 0.75),
    ("pre-sam", Phase::Perturbed, 1.0),
    ("friendly-asam", Phase::Norm, 0.85),
    ("friendly-asam", Phase::Perturbed, 1.0),
    ("friendly-asam", Phase::Memory, 1.0),
    ("raw-asam", Phase::Norm, 0.75),
    ("raw-asam", Phase::Perturbed, 1.0),
    ("sgd", Phase::Params, 1.0),
    ("sgd-momentum", Phase::Params, 1.0),
    ("sgd-momentum", Phase::State, 1.0),
    ("adamw", Phase::Params, 1.0),
    ("adamw", Phase::State, 1.0),
];

/// A limit is too loose where it is more than this many times the worst error seen.
const LOOSE: f64 = 4.0;

/// The limits for `row` (a rule's or base optimizer's name) of which less than a quarter was ever used.
#[must_use]
pub fn too_loose(row: &str, worst: &Worst) -> Vec<String> {
    let limits = LIMITS.iter().filter(|(name, _, _)| *name == row);
    let judged = limits.filter_map(|(_, phase, limit)| Some((phase, limit, worst.of(*phase)?)));
    judged
        .filter(|(_, limit, seen)| *seen * LOOSE < **limit)
        .map(|(phase, limit, seen)| {
            format!("{row} {phase}: the limit {limit} is more than {LOOSE} times the worst seen, {seen:.3}")
        })
        .collect()
}
