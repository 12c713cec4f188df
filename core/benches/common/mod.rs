//! What the criterion bench `step` and the example `floor` share: parameters in the shapes of real
//! models, and three programs over them: our step, a naive one and the triad.

mod case;
mod naive;
mod shape;
mod tensor;
mod triad;

pub use case::{Pair, Rule, rules};
pub use shape::Shape;
pub use triad::{TRIAD_BYTES, Triad};

/// A naive tensor and the triad are split over threads from this length on, as presam's segments are.
const SPLIT_FROM: usize = 1 << 17;
