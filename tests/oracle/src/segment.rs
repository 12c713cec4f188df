//! A model as a list of segments.

use crate::rules::Rule;
use std::fmt;

/// One tensor, with what one ascent needs of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// w.
    pub params: Vec<f64>,
    /// g; the momentum v for momentum-sam.
    pub grads: Vec<f64>,
    /// The rule's planes of memory, each as long as `params`.
    pub memory: Vec<Vec<f64>>,
    /// The rule's input planes, each as long as `params`.
    pub inputs: Vec<Vec<f64>>,
    /// The radius.
    pub rho: f64,
    /// Whether its elements are in the norm and the statistic.
    pub counts_in_norm: bool,
    /// Whether it moves.
    pub is_perturbed: bool,
    /// Whether ASAM's operator applies (biases and norm layers: no).
    pub operator_applies: bool,
}

impl Segment {
    /// A segment without planes that counts, is perturbed, and has ASAM's operator.
    #[must_use]
    pub fn new(params: Vec<f64>, grads: Vec<f64>, rho: f64) -> Self {
        Self {
            params,
            grads,
            memory: Vec::new(),
            inputs: Vec::new(),
            rho,
            counts_in_norm: true,
            is_perturbed: true,
            operator_applies: true,
        }
    }

    /// The same with the zeroed memory that the rule has before its first step.
    #[must_use]
    pub fn with_memory_for(mut self, rule: Rule) -> Self {
        self.memory = vec![vec![0.0; self.params.len()]; rule.memory()];
        self
    }

    /// The same with these inputs.
    #[must_use]
    pub fn with_inputs(mut self, inputs: Vec<Vec<f64>>) -> Self {
        self.inputs = inputs;
        self
    }

    pub(crate) fn check(&self, index: usize, rule: Rule) -> Result<(), ShapeError> {
        let error =
            |slice, expected, found| ShapeError::unless_equal(index, slice, expected, found);
        let length = self.params.len();
        error("grads", length, self.grads.len())?;
        error("memory planes", rule.memory(), self.memory.len())?;
        error("input planes", rule.inputs(), self.inputs.len())?;
        self.memory.iter().try_for_each(|plane| error("memory", length, plane.len()))?;
        self.inputs.iter().try_for_each(|plane| error("inputs", length, plane.len()))
    }
}

/// A vector of the wrong length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeError {
    /// The segment's place in the list.
    pub segment: usize,
    /// The vector.
    pub slice: &'static str,
    /// The length it should have.
    pub expected: usize,
    /// The length it has.
    pub found: usize,
}

impl ShapeError {
    pub(crate) fn unless_equal(
        segment: usize,
        slice: &'static str,
        expected: usize,
        found: usize,
    ) -> Result<(), Self> {
        if expected == found { Ok(()) } else { Err(Self { segment, slice, expected, found }) }
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, slice, expected, found } = self;
        write!(f, "segment {segment}: {slice} should have length {expected}, found {found}")
    }
}

impl std::error::Error for ShapeError {}
