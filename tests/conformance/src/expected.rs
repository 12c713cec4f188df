//! [`Expected`]: what a case gives, each number with the error that other code of the same formula may make.

use crate::case::{Answer, Case, SegmentAnswer};
use crate::report::Mismatch;
use crate::scalar::Scalar;
use presam_oracle::{
    Ascent, BaseState, Bounded, BoundedVector, Descent, Outcome, Segment, ascend, descend,
};

/// For code that sums in an order of its own: of 64 terms each passes
/// through at most 63 additions, where the oracle's bound counts 6; (64/2 + 1) / (7/2 + 1) < 8 for
/// the norm, less for what depends on it. Fused or regrouped formulas fit into the rest.
pub const FOREIGN: f64 = 8.0;

/// What the oracle makes of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    /// The ascent.
    pub ascent: Ascent,
    /// The descent; after a non-finite ascent there is none, and nothing changes.
    pub descent: Descent,
}

/// f64 copies.
fn widened<R: Scalar>(plane: &[R]) -> Vec<f64> {
    plane.iter().map(|x| x.to_f64()).collect()
}

fn widened_planes<R: Scalar>(planes: &[Vec<R>]) -> Vec<Vec<f64>> {
    planes.iter().map(|plane| widened(plane)).collect()
}

impl Expected {
    /// Asks the oracle.
    ///
    /// # Errors
    /// A case whose planes do not fit its rule.
    pub fn of<R: Scalar>(case: &Case<R>) -> Result<Self, Mismatch> {
        let segments: Vec<Segment> = case
            .segments
            .iter()
            .map(|s| Segment {
                params: widened(&s.params),
                grads: widened(&s.grads),
                memory: widened_planes(&s.memory),
                inputs: widened_planes(&s.inputs),
                rho: s.options.rho,
                counts_in_norm: s.options.counts_in_norm,
                is_perturbed: s.options.is_perturbed,
                operator_applies: s.options.operator_applies,
            })
            .collect();
        let ascent = ascend(case.rule, case.length, &segments, case.rule_state, R::FORMAT)
            .map_err(Mismatch::no_answer)?;
        let params = case.segments.iter().map(|s| widened(&s.params)).collect::<Vec<_>>();
        // Without an ascent there is no descent: as if the second gradient were a NaN.
        let second = |s: &crate::case::Segment<R>| match ascent.outcome {
            Outcome::NonFinite => vec![f64::NAN; s.params.len()],
            _ => widened(&s.perturbed_grads),
        };
        let grads = case.segments.iter().map(second).collect::<Vec<_>>();
        let planes = case.segments.iter().map(|s| widened_planes(&s.state)).collect();
        let state = BaseState { steps: case.base_steps, planes };
        let mut descent = descend(case.base, &params, &grads, 1.0, &state, R::FORMAT)
            .map_err(Mismatch::no_answer)?;
        if ascent.outcome == Outcome::NonFinite {
            descent.is_finite = false;
            descent.state.steps = case.base_steps;
        }
        Ok(Self { ascent, descent })
    }

    /// Whether rounding alone may send the step anywhere, so that first-order bounds are void: the norm is known to
    /// less than eight bits, or is not finite though the case's numbers are (a quotient of differences that cancel, in
    /// the undamped draft); or a perturbed parameter is not, where that quotient is of a tensor that does not count. At
    /// a norm of 0 it is the formula's own.
    #[must_use]
    pub fn is_ill_conditioned(&self) -> bool {
        let Bounded { value, bound } = self.ascent.norm;
        let is_unknown = !value.is_finite() || !(value == 0.0 || bound <= value / 256.0);
        is_unknown || (value != 0.0 && self.is_void())
    }

    /// Whether a perturbed parameter is not finite.
    pub(crate) fn is_void(&self) -> bool {
        let perturbed = self.ascent.perturbed.iter().flat_map(|plane| &plane.values);
        { perturbed }.any(|value| !value.is_finite())
    }

    /// The values in the scalar type.
    #[must_use]
    pub fn rounded<R: Scalar>(&self) -> Answer<R> {
        let Self { ascent, descent } = self;
        let plane = |vector: &BoundedVector| -> Vec<R> {
            vector.values.iter().map(|value| R::from_f64(*value)).collect()
        };
        let at =
            |list: &[BoundedVector], index: usize| list.get(index).map(plane).unwrap_or_default();
        let planes = |list: &[Vec<BoundedVector>], index: usize| -> Vec<Vec<R>> {
            list.get(index).map(|list| list.iter().map(plane).collect()).unwrap_or_default()
        };
        let segments = 0..ascent.perturbed.len();
        Answer {
            outcome: ascent.outcome,
            norm: None,
            segments: segments
                .map(|index| SegmentAnswer {
                    perturbed: at(&ascent.perturbed, index),
                    memory: planes(&ascent.memory, index),
                    params: at(&descent.params, index),
                    state: planes(&descent.planes, index),
                })
                .collect(),
            rule_state: ascent.state,
            base_steps: descent.state.steps,
        }
    }
}
