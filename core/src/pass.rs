//! The passes of a step, element by element: what the loops of [`Cpu`](crate::Cpu) run over slices.
//!
//! A step is made of two kinds of pass. A [`Term`] sums (norm, statistic, dot product); an
//! [`ElementMap`] writes (ascent, restore, descent, mixes). For loops of one's own, over GPU threads
//! or vector units: the same expressions in another order of *elements* give the same bits, as long as
//! a [`Term`]'s sums keep the order of the norm contract ([`PartialNorm`](crate::PartialNorm)).
//!
//! ```
//! use presam::pass::{Ascend, ElementMap};
//! use presam::{RuleState, Sam, Scale, Variant};
//!
//! let scale = Scale { prescale: 1.0f32, scale: 0.5, remember: true };
//! let ascend = Ascend::new(Sam::new().arm(&RuleState::new()), scale);
//! let (perturbed, []) = ascend.apply(0.0, [1.0, 4.0], [], []); // old, [param, grad], memory, inputs
//! assert_eq!(perturbed, 3.0);
//! ```

use crate::base::DescentRule;
use crate::element::{AscentRule, Element};
use crate::length::Scale;
use crate::real::Real;

/// What is summed: per element a term that is squared, and a statistic that is not.
///
/// `A` planes are read besides `M` of memory and `I` of inputs.
pub trait Term<R: Real, const A: usize, const M: usize, const I: usize>:
    Copy + Send + Sync
{
    /// Whether [`statistic`](Term::statistic) is summed.
    const STATISTIC: bool = false;
    /// Squared and summed, with range classes.
    fn term(self, reads: [R; A], memory: [R; M], inputs: [R; I]) -> R;
    /// Summed as it is.
    #[inline(always)]
    fn statistic(self, _reads: [R; A], _memory: [R; M], _inputs: [R; I]) -> R {
        R::ZERO
    }
}

/// What is written: the new value of one plane (whose old value is `old`) and of the memory planes.
pub trait ElementMap<R: Real, const A: usize, const M: usize, const I: usize>:
    Copy + Send + Sync
{
    /// One element.
    fn apply(self, old: R, reads: [R; A], memory: [R; M], inputs: [R; I]) -> (R, [R; M]);
}

/// Norm term and statistic of an ascent rule; reads param and grad.
#[derive(Clone, Copy, Debug)]
pub struct NormTerm<Rule>(pub Rule);

impl<R: Real, Rule: AscentRule<R, M, I>, const M: usize, const I: usize> Term<R, 2, M, I>
    for NormTerm<Rule>
{
    const STATISTIC: bool = Rule::STATISTIC;

    #[inline(always)]
    fn term(self, [param, grad]: [R; 2], memory: [R; M], inputs: [R; I]) -> R {
        self.0.norm_term(Element { param, grad, memory, inputs })
    }

    #[inline(always)]
    fn statistic(self, [param, grad]: [R; 2], memory: [R; M], inputs: [R; I]) -> R {
        self.0.statistic(Element { param, grad, memory, inputs })
    }
}

/// first^2, and <first, second> as the statistic.
#[derive(Clone, Copy, Debug)]
pub struct Pair;

impl<R: Real> Term<R, 2, 0, 0> for Pair {
    const STATISTIC: bool = true;

    #[inline(always)]
    fn term(self, [first, _]: [R; 2], _: [R; 0], _: [R; 0]) -> R {
        first
    }

    #[inline(always)]
    fn statistic(self, [first, second]: [R; 2], _: [R; 0], _: [R; 0]) -> R {
        first * second
    }
}

/// (first - second)^2
#[derive(Clone, Copy, Debug)]
pub struct Difference;

impl<R: Real> Term<R, 2, 0, 0> for Difference {
    #[inline(always)]
    fn term(self, [first, second]: [R; 2], _: [R; 0], _: [R; 0]) -> R {
        first - second
    }
}

/// (factor * grad)^2
#[derive(Clone, Copy, Debug)]
pub struct Scaled<R>(pub R);

impl<R: Real> Term<R, 1, 0, 0> for Scaled<R> {
    #[inline(always)]
    fn term(self, [grad]: [R; 1], _: [R; 0], _: [R; 0]) -> R {
        grad * self.0
    }
}

/// param + (direction * prescale) * scale, and the new memory; reads param and grad.
///
/// The expression of a scale that is not zero; a zero scale is [`Remember`], a copy.
#[derive(Clone, Copy, Debug)]
pub struct Ascend<R, Rule> {
    rule: Rule,
    prescale: R,
    scale: R,
}

impl<R: Real, Rule> Ascend<R, Rule> {
    /// The ascent of `rule` by `scale`.
    pub const fn new(rule: Rule, scale: Scale<R>) -> Self {
        Self { rule, prescale: scale.prescale, scale: scale.scale }
    }
}

impl<R: Real, Rule: AscentRule<R, M, I>, const M: usize, const I: usize> ElementMap<R, 2, M, I>
    for Ascend<R, Rule>
{
    #[inline(always)]
    fn apply(self, _: R, [param, grad]: [R; 2], memory: [R; M], inputs: [R; I]) -> (R, [R; M]) {
        let element = Element { param, grad, memory, inputs };
        let perturbation = (self.rule.direction(element) * self.prescale) * self.scale;
        (param + perturbation, flushed(self.rule.remember(element)))
    }
}

/// What memory stores: a plain loop, which is inlined at every optimization level.
#[inline(always)]
fn flushed<R: Real, const M: usize>(mut memory: [R; M]) -> [R; M] {
    for value in &mut memory {
        *value = value.flush();
    }
    memory
}

/// The parameter as it is, the memory renewed: a step whose scale is zero.
#[derive(Clone, Copy, Debug)]
pub struct Remember<Rule>(pub Rule);

impl<R: Real, Rule: AscentRule<R, M, I>, const M: usize, const I: usize> ElementMap<R, 2, M, I>
    for Remember<Rule>
{
    #[inline(always)]
    fn apply(self, _: R, [param, grad]: [R; 2], memory: [R; M], inputs: [R; I]) -> (R, [R; M]) {
        (param, flushed(self.0.remember(Element { param, grad, memory, inputs })))
    }
}

/// A copy: exact, and split over threads like every other pass.
#[derive(Clone, Copy, Debug)]
pub struct Copied;

impl<R: Real> ElementMap<R, 1, 0, 0> for Copied {
    #[inline(always)]
    fn apply(self, _: R, [from]: [R; 1], memory: [R; 0], _: [R; 0]) -> (R, [R; 0]) {
        (from, memory)
    }
}

/// A base optimizer's step on grad_factor * grad; the memory planes are its state.
#[derive(Clone, Copy, Debug)]
pub struct Descend<R, Rule> {
    /// The armed base optimizer.
    pub rule: Rule,
    /// Multiplies every gradient entry first.
    pub grad_factor: R,
}

impl<R: Real, Rule: DescentRule<R, S>, const S: usize> ElementMap<R, 1, S, 0> for Descend<R, Rule> {
    #[inline(always)]
    fn apply(self, param: R, [grad]: [R; 1], state: [R; S], _: [R; 0]) -> (R, [R; S]) {
        self.rule.update(param, grad * self.grad_factor, state)
    }
}
