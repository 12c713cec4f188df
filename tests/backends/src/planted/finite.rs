//! What is not finite.

use presam_conformance::{Case, Scalar};

pub(super) fn is_finite<R: Scalar>(plane: &[R]) -> bool {
    plane.iter().all(|x| x.to_f64().is_finite())
}

/// Whether a gradient, first or second, is not finite.
pub(super) fn is_poisoned<R: Scalar>(case: &Case<R>) -> bool {
    !case.segments.iter().all(|s| is_finite(&s.grads) && is_finite(&s.perturbed_grads))
}
