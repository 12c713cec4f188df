//! [`Erased`]: a typed rule without its type.

use super::phases::{Armed, ArmedBase, Ascending, DynBase, DynVariant, PlaneCount};
use crate::base::{BaseOptimizer, BaseState};
use crate::element::{RuleState, Variant};
use crate::error::Error;
use crate::info::{BaseInfo, VariantInfo};
use crate::length::{Ascent, Scale, finish};
use crate::loss_scale::Unscaled;
use crate::norm::PartialNorm;
use crate::planes::{Planes, PlanesMut};
use crate::real::Real;

/// A typed rule as a [`DynVariant`] or [`DynBase`]: for rules that this library does not have.
///
/// Its numbers of planes stand in the type, since an `impl` for every `V: Variant<R, M, I>` cannot name
/// them; they are found by inference.
#[derive(Clone, Copy, Debug)]
pub struct Erased<V, const M: usize, const I: usize>(pub(super) V);

impl<V, const M: usize, const I: usize> Erased<V, M, I> {
    /// Of a variant.
    pub const fn variant<R: Real>(variant: V) -> Self
    where
        V: Variant<R, M, I>,
    {
        Self(variant)
    }

    fn arm<R: Real>(&self, at: &Armed<R>) -> Unscaled<V::Rule, R>
    where
        V: Variant<R, M, I>,
    {
        Unscaled::new(self.0.with_operator(at.operator).arm(&at.state), at.unscale)
    }
}

impl<V, const S: usize> Erased<V, S, 0> {
    /// Of a base optimizer.
    pub const fn base<R: Real>(base: V) -> Self
    where
        V: BaseOptimizer<R, S>,
    {
        Self(base)
    }
}

impl<R: Real, V, const M: usize, const I: usize> DynVariant<R> for Erased<V, M, I>
where
    V: Variant<R, M, I>,
{
    #[inline]
    fn info(&self) -> Option<&'static VariantInfo> {
        None
    }

    #[inline]
    fn planes(&self) -> PlaneCount {
        PlaneCount { memory: M, inputs: I }
    }

    #[inline]
    fn accumulate_norm(
        &self,
        at: &Armed<R>,
        params: &[R],
        grads: &[R],
        memory: Planes<'_, R>,
        inputs: Planes<'_, R>,
        norm: &mut PartialNorm<R>,
    ) -> Result<(), Error> {
        let (memory, inputs) = (memory.array("memory")?, inputs.array("inputs")?);
        at.cpu.accumulate_norm(self.arm(at), params, grads, memory, inputs, norm)
    }

    #[inline]
    fn finish(&self, norm: &PartialNorm<R>, state: &mut RuleState<R>) -> Result<Ascent<R>, Error> {
        finish(self.0, norm, state)
    }

    #[inline]
    fn ascend(
        &self,
        at: &Armed<R>,
        scale: Scale<R>,
        params: &[R],
        planes: Ascending<'_, R>,
        perturbed: &mut [R],
    ) -> Result<(), Error> {
        let (memory, inputs) = (planes.memory.array("memory")?, planes.inputs.array("inputs")?);
        at.cpu.ascend(self.arm(at), scale, params, planes.grads, memory, inputs, perturbed)
    }

    #[inline]
    fn ascend_in_place(
        &self,
        at: &Armed<R>,
        scale: Scale<R>,
        params: &mut [R],
        planes: Ascending<'_, R>,
        backup: &mut [R],
    ) -> Result<(), Error> {
        let (memory, inputs) = (planes.memory.array("memory")?, planes.inputs.array("inputs")?);
        let rule = self.arm(at);
        at.cpu.ascend_in_place(rule, scale, params, planes.grads, memory, inputs, backup)
    }
}

impl<R: Real, B: BaseOptimizer<R, S>, const S: usize> DynBase<R> for Erased<B, S, 0> {
    #[inline]
    fn info(&self) -> Option<&'static BaseInfo> {
        None
    }

    #[inline]
    fn state_planes(&self) -> usize {
        S
    }

    #[inline]
    fn descend(
        &self,
        at: &ArmedBase<R>,
        grad_factor: R,
        params: &mut [R],
        perturbed_grads: &[R],
        state: PlanesMut<'_, R>,
    ) -> Result<(), Error> {
        let state: [&mut [R]; S] = state.array("state")?;
        let mut base = self.0;
        if let Some(learning_rate) = at.learning_rate {
            base = base.with_learning_rate(learning_rate)?;
        }
        if let Some(weight_decay) = at.weight_decay {
            base = base.with_weight_decay(weight_decay)?;
        }
        at.cpu.descend(base.arm(&at.state), grad_factor, params, perturbed_grads, state)
    }

    #[inline]
    fn advance(&self, state: &BaseState) -> BaseState {
        self.0.advance(state)
    }

    #[inline]
    fn learning_rate(&self) -> R {
        self.0.learning_rate()
    }
}
