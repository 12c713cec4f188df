//! A gradient that is not finite: which value, where, and what a step makes of it.

use super::yardstick::answer;
use crate::backend::Backend;
use crate::case::{Answer, Case, Segment};
use crate::compare::same_bits;
use crate::report::Mismatch;
use crate::scalar::Scalar;

pub(super) const NON_FINITE: [f64; 3] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];

/// The values that are tried in a case: each, or of a stranger, to whom each is a question over a pipe, one of them.
pub(super) fn values<R: Scalar>(case: &Case<R>, is_contract: bool) -> Vec<f64> {
    if is_contract {
        return NON_FINITE.to_vec();
    }
    NON_FINITE.into_iter().cycle().skip(salt(case) / 8 % 3).take(1).collect()
}

/// Which of the two gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    First,
    Second,
}

impl Which {
    pub fn of<R>(self, segment: &mut Segment<R>) -> &mut Vec<R> {
        match self {
            Self::First => &mut segment.grads,
            Self::Second => &mut segment.perturbed_grads,
        }
    }
}

/// Puts `value` over one gradient: the first, the last, the middle one or any other, of any tensor; of two cases, and
/// of two turns, at other places. The tensor's index, or nothing where all are empty.
pub(super) fn poison<R: Scalar>(
    case: &mut Case<R>,
    value: f64,
    which: Which,
    turn: usize,
) -> Option<usize> {
    let salt = salt(case).wrapping_add(turn.wrapping_mul(7));
    let filled: Vec<usize> = (0..case.segments.len())
        .filter(|index| case.segments.get(*index).is_some_and(|s| !s.params.is_empty()))
        .collect();
    let index = *filled.get(salt / 4 % filled.len().max(1))?;
    let plane = which.of(case.segments.get_mut(index)?);
    let length = plane.len();
    let places = [0, length.saturating_sub(1), length / 2, salt / 64 % length.max(1)];
    let place = places.get(salt % 4).copied().unwrap_or(0);
    *plane.get_mut(place)? = R::from_f64(value);
    Some(index)
}

/// The answer of a step whose second gradient is not finite: there is no descent.
pub(super) fn without_descent<R: Scalar>(
    backend: &mut dyn Backend<R>,
    case: &Case<R>,
) -> Result<Answer<R>, Mismatch> {
    let found = answer(backend, case)?;
    if found.base_steps != case.base_steps {
        let name = "steps of the base optimizer";
        return Err(Mismatch::new(name, case.base_steps, found.base_steps));
    }
    for (index, (from, found)) in case.segments.iter().zip(&found.segments).enumerate() {
        same_bits(&format!("segment {index}: params"), &from.params, &found.params)?;
        for (from, found) in from.state.iter().zip(&found.state) {
            same_bits(&format!("segment {index}: state"), from, found)?;
        }
    }
    Ok(found)
}

/// A number that cases of one size do not share.
pub(super) fn salt<R: Scalar>(case: &Case<R>) -> usize {
    let numbers = case.segments.iter().flat_map(|s| &s.params);
    let hash = numbers.fold(case.base_steps, |hash, x| hash.rotate_left(5) ^ x.bits());
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize
}
