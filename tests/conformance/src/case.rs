//! [`Case`]: everything one step reads. [`Answer`]: everything it writes.

use crate::scalar::Scalar;
use presam_oracle::{Base, Element, LengthRule, Number, Outcome, Rule, RuleState};
use std::fmt;

/// What the group of a segment says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The radius, as the scalar type holds it.
    pub rho: f64,
    /// Whether its elements are in the norm and the statistic.
    pub counts_in_norm: bool,
    /// Whether it moves.
    pub is_perturbed: bool,
    /// Whether ASAM's operator applies.
    pub operator_applies: bool,
}

impl Options {
    /// Counted, perturbed with radius `rho`, the operator on.
    #[must_use]
    pub fn new(rho: f64) -> Self {
        Self { rho, counts_in_norm: true, is_perturbed: true, operator_applies: true }
    }
}

/// One tensor and what one step needs of it; every plane is as long as `params`.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment<R> {
    /// What its group says.
    pub options: Options,
    /// w.
    pub params: Vec<R>,
    /// g at w; the momentum for momentum-sam.
    pub grads: Vec<R>,
    /// g~, taken at the perturbed parameters.
    pub perturbed_grads: Vec<R>,
    /// The rule's memory.
    pub memory: Vec<Vec<R>>,
    /// The rule's inputs: a mask, C, D.
    pub inputs: Vec<Vec<R>>,
    /// The base optimizer's state.
    pub state: Vec<Vec<R>>,
}

impl<R: Scalar> Segment<R> {
    /// What a rule sees of element `i`; 0 past the end of a plane.
    #[must_use]
    pub fn element(&self, i: usize) -> Element {
        let at = |plane: &[R]| plane.get(i).map_or(Number::ZERO, |x| Number::exact(x.to_f64()));
        let planes = |list: &[Vec<R>]| {
            std::array::from_fn(|index| list.get(index).map_or(Number::ZERO, |plane| at(plane)))
        };
        Element {
            param: at(&self.params),
            grad: at(&self.grads),
            memory: planes(&self.memory),
            inputs: planes(&self.inputs),
            operator_applies: self.options.operator_applies,
        }
    }
}

/// Everything one step reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Case<R> {
    /// The rule with its settings, as the scalar type holds them.
    pub rule: Rule,
    /// How long the perturbation is.
    pub length: LengthRule,
    /// The tensors.
    pub segments: Vec<Segment<R>>,
    /// The rule's counters.
    pub rule_state: RuleState,
    /// The base optimizer with its settings.
    pub base: Base,
    /// Steps that the base optimizer has taken.
    pub base_steps: u64,
}

impl<R: Scalar> Case<R> {
    /// The norm guard k in the scalar type; 0 for a length rule without one.
    #[must_use]
    pub fn norm_guard(&self) -> R {
        R::from_f64(match self.length {
            LengthRule::Normalised { norm_guard } | LengthRule::Mixed { norm_guard, .. } => {
                norm_guard
            }
            LengthRule::Unnormalised => 0.0,
        })
    }

    /// The case that follows: memory, parameters, state and counters of `answer`, and these gradients
    /// (g and g~ of each segment; one that is too short is filled up with the case's own).
    #[must_use]
    pub fn next(&self, answer: &Answer<R>, grads: &[(Vec<R>, Vec<R>)]) -> Self {
        let mut next = self.clone();
        next.rule_state = answer.rule_state;
        next.base_steps = answer.base_steps;
        for (segment, new) in next.segments.iter_mut().zip(&answer.segments) {
            segment.params.clone_from(&new.params);
            segment.memory.clone_from(&new.memory);
            segment.state.clone_from(&new.state);
        }
        for (segment, (grads, perturbed_grads)) in next.segments.iter_mut().zip(grads) {
            for (to, from) in
                [(&mut segment.grads, grads), (&mut segment.perturbed_grads, perturbed_grads)]
            {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
        }
        next
    }

    /// The same with other gradients g.
    #[must_use]
    pub fn map_grads(&self, f: impl Fn(R) -> R) -> Self {
        let mut case = self.clone();
        let segments = case.segments.iter_mut();
        segments.flat_map(|s| &mut s.grads).for_each(|g| *g = f(*g));
        case
    }

    /// The same with other options for every segment.
    #[must_use]
    pub fn map_options(&self, f: impl Fn(Options) -> Options) -> Self {
        let mut case = self.clone();
        case.segments.iter_mut().for_each(|segment| segment.options = f(segment.options));
        case
    }

    /// Elements in all segments.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.segments.iter().map(|segment| segment.params.len()).sum()
    }
}

/// Sum of squares * 2^(2 * exponent * class), exponent 96 (`f64`: 768).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm<R> {
    /// The sum of squares in its class.
    pub sum: R,
    /// The range class.
    pub class: i32,
}

impl<R: Scalar> Norm<R> {
    /// The norm itself.
    #[must_use]
    pub fn value(self) -> f64 {
        self.sum.to_f64().sqrt() * 2_f64.powi(R::CLASS_EXPONENT * self.class)
    }
}

/// What a step leaves of one segment.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentAnswer<R> {
    /// The parameters at which the second gradient is taken.
    pub perturbed: Vec<R>,
    /// The rule's new memory.
    pub memory: Vec<Vec<R>>,
    /// The new parameters.
    pub params: Vec<R>,
    /// The base optimizer's new state.
    pub state: Vec<Vec<R>>,
}

/// Everything one step writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<R> {
    /// What the ascent's numbers did.
    pub outcome: Outcome,
    /// || D C s ||, where the backend tells it.
    pub norm: Option<Norm<R>>,
    /// One for each segment.
    pub segments: Vec<SegmentAnswer<R>>,
    /// The rule's new counters.
    pub rule_state: RuleState,
    /// Steps that the base optimizer has taken.
    pub base_steps: u64,
}

impl<R: Scalar> Answer<R> {
    /// A step that changed nothing: the start of an answer that writes its results over it.
    #[must_use]
    pub fn unchanged(case: &Case<R>) -> Self {
        let segment = |segment: &Segment<R>| SegmentAnswer {
            perturbed: segment.params.clone(),
            memory: segment.memory.clone(),
            params: segment.params.clone(),
            state: segment.state.clone(),
        };
        Self {
            outcome: Outcome::Perturbed,
            norm: None,
            segments: case.segments.iter().map(segment).collect(),
            rule_state: case.rule_state,
            base_steps: case.base_steps,
        }
    }
}

impl<R: Scalar> fmt::Display for Case<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {} {:?}, length {:?}, {:?}", R::NAME, self.rule, self.length, self.base)?;
        let RuleState { steps, mean_of_variance } = self.rule_state;
        writeln!(
            f,
            "  after {steps} ascents (mean {mean_of_variance:?}) and {} descents",
            self.base_steps
        )?;
        for (index, segment) in self.segments.iter().enumerate() {
            writeln!(f, "  segment {index}: {:?}", segment.options)?;
            let single = [
                ("params", &segment.params),
                ("grads", &segment.grads),
                ("perturbed_grads", &segment.perturbed_grads),
            ];
            let planes = [
                ("memory", &segment.memory),
                ("inputs", &segment.inputs),
                ("state", &segment.state),
            ];
            let planes =
                planes.into_iter().flat_map(|(name, list)| list.iter().map(move |x| (name, x)));
            for (name, plane) in single.into_iter().chain(planes) {
                writeln!(f, "    {name:<16} {}", Shortened(plane))?;
            }
        }
        Ok(())
    }
}

/// The first elements of a slice, in decimal.
struct Shortened<'a, R>(&'a [R]);

impl<R: Scalar> fmt::Display for Shortened<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        f.debug_list().entries(self.0.iter().take(SHOWN)).finish()?;
        if self.0.len() > SHOWN { write!(f, " and {} more", self.0.len() - SHOWN) } else { Ok(()) }
    }
}
