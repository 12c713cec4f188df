//! [`Unscaled`]: a rule that sees gradients of a scaled loss.

use crate::element::{AscentRule, Element};
use crate::real::Real;

/// A rule that multiplies every gradient entry by a factor first: the inverse of a loss scale.
///
/// SAM, ASAM and the masked rules do not need it, since a constant factor cancels in their norm;
/// FisherSAM, infoSAM and everything with memory see the gradient's own size. The same factor goes
/// into [`descend`](crate::Cpu::descend) as `grad_factor`.
///
/// ```
/// use presam::{AscentRule, Element, FisherSam, RuleState, Unscaled, Variant};
///
/// let fisher = FisherSam::<f32>::default().arm(&RuleState::new());
/// let scaled = Unscaled::new(fisher, 1.0 / 1024.0);
/// let element = |grad| Element { param: 0.0, grad, memory: [], inputs: [] };
/// assert_eq!(scaled.direction(element(2048.0)), fisher.direction(element(2.0)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Unscaled<Rule, R> {
    rule: Rule,
    factor: R,
}

impl<Rule, R: Real> Unscaled<Rule, R> {
    /// `rule` over `factor * g`. The factor 1 changes no bit.
    pub const fn new(rule: Rule, factor: R) -> Self {
        Self { rule, factor }
    }

    #[inline(always)]
    fn unscale<const M: usize, const I: usize>(self, e: Element<R, M, I>) -> Element<R, M, I> {
        Element { grad: e.grad * self.factor, ..e }
    }
}

impl<Rule: AscentRule<R, M, I>, R: Real, const M: usize, const I: usize> AscentRule<R, M, I>
    for Unscaled<Rule, R>
{
    const STATISTIC: bool = Rule::STATISTIC;

    #[inline(always)]
    fn remember(self, e: Element<R, M, I>) -> [R; M] {
        self.rule.remember(self.unscale(e))
    }

    #[inline(always)]
    fn norm_term(self, e: Element<R, M, I>) -> R {
        self.rule.norm_term(self.unscale(e))
    }

    #[inline(always)]
    fn direction(self, e: Element<R, M, I>) -> R {
        self.rule.direction(self.unscale(e))
    }

    #[inline(always)]
    fn statistic(self, e: Element<R, M, I>) -> R {
        self.rule.statistic(self.unscale(e))
    }
}
