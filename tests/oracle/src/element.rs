//! What a rule sees of one element, and what it answers.

use crate::format::Format;
use crate::number::Number;

/// The most planes of memory, and the most of inputs, that any rule has.
pub const PLANES: usize = 2;

/// One element of one segment. Planes that a rule does not have are 0.
#[derive(Clone, Copy, Debug)]
pub struct Element {
    /// w.
    pub param: Number,
    /// g; the momentum v for momentum-sam.
    pub grad: Number,
    /// The memory before this step.
    pub memory: [Number; PLANES],
    /// Read-only inputs: a mask, C, D.
    pub inputs: [Number; PLANES],
    /// Whether ASAM's operator applies here; D = 1 where it does not.
    pub operator_applies: bool,
}

/// What one element adds to the step.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// (D C s)_i: squared and summed, it gives the norm.
    pub norm_term: Number,
    /// (D^2 C s)_i: times the scale, it is the perturbation.
    pub direction: Number,
    /// D_i; 1 for a rule without one. The law of constrained lengths divides by it.
    pub constraint: Number,
    /// The memory after this step, before small values are stored as zero.
    pub memory: [Number; PLANES],
    /// The element's part in the rule's [`Statistic`](crate::about::Statistic).
    pub statistic: Number,
}

impl Terms {
    /// A rule without D, memory or statistic.
    #[must_use]
    pub fn new(norm_term: Number, direction: Number) -> Self {
        let (memory, statistic) = ([Number::ZERO; PLANES], Number::ZERO);
        Self { norm_term, direction, constraint: Number::ONE, memory, statistic }
    }

    /// The same with D.
    #[must_use]
    pub fn constrained(self, constraint: Number) -> Self {
        Self { constraint, ..self }
    }

    /// The same with what a subnormal product rounds: of D (C s) and of D (D (C s)) half the smallest number each time,
    /// which the later factors stretch.
    #[must_use]
    pub fn in_format(self, format: Format) -> Self {
        let stretch = 1.0 + self.constraint.value.abs();
        let norm_term = format.with_subnormal(self.norm_term, stretch);
        let direction = format.with_subnormal(self.direction, stretch * stretch);
        Self { norm_term, direction, ..self }
    }

    /// The same with one plane of memory.
    #[must_use]
    pub fn remembering(self, memory: Number) -> Self {
        Self { memory: [memory, Number::ZERO], ..self }
    }
}

/// The counters of a rule, one for the whole model.
///
/// They advance once a step unless the step is [`NonFinite`](crate::Outcome::NonFinite), so a skipped first step
/// stays the first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RuleState {
    /// Steps taken.
    pub steps: u64,
    /// info-sam and info-asam: mean of v_hat over counted elements in the step before; 0 until there was one.
    pub mean_of_variance: f64,
}

impl RuleState {
    /// Whether no step was taken yet.
    #[must_use]
    pub fn is_first(self) -> bool {
        self.steps == 0
    }
}
