//! [`Shard`]: a thread's share of the planes, and what can be asked of it.

use presam::{
    AdamW, BaseOptimizer, BaseState, Cpu, Error, PartialNorm, RuleState, Scale, Sgd, SgdMomentum,
    Variant,
};

use super::tensor::{Tensor, share};
use crate::bench::{Base, BenchError, Shape};
use presam_backends::planes::{slices, slices_mut};

/// Rules whose input is a mask of 0 and 1.
const MASKED: [&str; 2] = ["ssam", "masked-sam"];

/// The base optimizer of every step, here and on a device.
pub(in crate::bench) fn sgd() -> Result<SgdMomentum<f32>, Error> {
    Sgd::new(0.1)?.with_weight_decay(5e-4)?.with_momentum(0.9)
}

/// The other one, whose descent alone is measured.
pub(in crate::bench) fn adamw() -> Result<AdamW<f32>, Error> {
    AdamW::new(1e-3)
}

/// The radius: 0.05 for an average entry, large against the last digit of a parameter at any size.
pub(in crate::bench) fn rho(shape: &Shape) -> f32 {
    0.05 * (shape.params() as f32).sqrt()
}

/// What is asked of every shard at once.
#[derive(Clone, Copy)]
pub(in crate::bench) enum Order {
    /// The norm of this share.
    Accumulate(RuleState<f32>),
    /// Perturb; `turn` lets the gradients change places afterwards.
    Ascend { state: RuleState<f32>, scale: Scale<f32>, turn: bool },
    /// Perturb in place, then let the gradients change places.
    AscendInPlace { state: RuleState<f32>, scale: Scale<f32> },
    /// Bring the parameters back.
    Restore,
    /// The base optimizer's step, then let the gradients change places.
    Descend { base: Base, state: BaseState<f32> },
    /// See `check`.
    SumPlainly(RuleState<f32>),
    /// See `check`.
    CheckFirstAscent { state: RuleState<f32>, scale: Scale<f32> },
    /// See `check`.
    CheckInPlace { state: RuleState<f32>, scale: Scale<f32> },
    /// See `check`.
    CheckFirstDescent { base: Base },
    /// See `check`.
    CheckFinite,
}

/// What comes back.
#[derive(Clone, Copy)]
pub(in crate::bench) struct Reply {
    /// Of `Accumulate`; no chunk otherwise.
    pub norm: PartialNorm<f32>,
    /// Of `SumPlainly`; 0 otherwise.
    pub sum: f64,
}

impl Reply {
    pub const NONE: Self = Self { norm: PartialNorm::new(), sum: 0.0 };
}

/// A thread's share of a case.
pub(in crate::bench) trait Shard: Send {
    fn obey(&mut self, order: Order) -> Result<Reply, BenchError>;
    /// Its pieces, in order.
    fn tensors(&self) -> &[Tensor];
}

/// The planes of a share, and the rule and base optimizers that run over them.
pub(in crate::bench) struct Planes<V, const M: usize, const I: usize> {
    pub(in crate::bench) cpu: Cpu,
    pub(in crate::bench) variant: V,
    pub(in crate::bench) sgd: SgdMomentum<f32>,
    pub(in crate::bench) adamw: AdamW<f32>,
    pub(in crate::bench) first_chunk: u64,
    pub(in crate::bench) tensors: Vec<Tensor>,
}

impl<V: Variant<f32, M, I>, const M: usize, const I: usize> Planes<V, M, I> {
    pub fn new(
        variant: V,
        name: &str,
        shape: &Shape,
        index: usize,
        of: usize,
    ) -> Result<Self, Error> {
        let own = share(shape, index, of);
        let masks = MASKED.contains(&name);
        let tensor = |piece| Tensor::new(piece, [M, I], masks);
        Ok(Self {
            cpu: Cpu::detect(),
            variant,
            sgd: sgd()?,
            adamw: adamw()?,
            first_chunk: own.first_chunk,
            tensors: own.pieces.into_iter().map(tensor).collect(),
        })
    }

    fn accumulate(&self, state: RuleState<f32>) -> Result<Reply, BenchError> {
        let rule = self.variant.arm(&state);
        let mut norm = PartialNorm::starting_at(self.first_chunk);
        for t in &self.tensors {
            let (memory, inputs) = (slices(&t.memory), slices(&t.inputs));
            self.cpu.accumulate_norm(rule, &t.params, &t.grads, memory, inputs, &mut norm)?;
        }
        Ok(Reply { norm, ..Reply::NONE })
    }

    fn ascend(
        &mut self,
        state: RuleState<f32>,
        scale: Scale<f32>,
        turn: bool,
    ) -> Result<(), BenchError> {
        let rule = self.variant.arm(&state);
        for t in &mut self.tensors {
            let (memory, inputs) = (slices_mut(&mut t.memory), slices(&t.inputs));
            let (params, grads, out) = (&t.params, &t.grads, &mut t.perturbed);
            self.cpu.ascend(rule, scale, params, grads, memory, inputs, out)?;
            if turn {
                t.take_turns();
            }
        }
        Ok(())
    }

    pub(in crate::bench) fn ascend_in_place(
        &mut self,
        state: RuleState<f32>,
        scale: Scale<f32>,
    ) -> Result<(), BenchError> {
        let rule = self.variant.arm(&state);
        for t in &mut self.tensors {
            let (memory, inputs) = (slices_mut(&mut t.memory), slices(&t.inputs));
            let (params, grads, backup) = (&mut t.params, &t.grads, &mut t.perturbed);
            self.cpu.ascend_in_place(rule, scale, params, grads, memory, inputs, backup)?;
            t.take_turns();
        }
        Ok(())
    }

    pub(in crate::bench) fn restore(&mut self) -> Result<(), BenchError> {
        for t in &mut self.tensors {
            self.cpu.restore(&mut t.params, &t.perturbed)?;
        }
        Ok(())
    }

    pub(in crate::bench) fn descend(
        &mut self,
        base: Base,
        state: BaseState<f32>,
    ) -> Result<(), BenchError> {
        let (sgd, adamw) = (self.sgd.arm(&state), self.adamw.arm(&state));
        for t in &mut self.tensors {
            let (params, grads) = (&mut t.params, &t.perturbed_grads);
            match base {
                Base::SgdMomentum => {
                    self.cpu.descend(sgd, 1.0, params, grads, [&mut t.momentum])?;
                }
                Base::AdamW => {
                    t.second.resize(params.len(), 0.0);
                    let state = [&mut t.momentum[..], &mut t.second[..]];
                    self.cpu.descend(adamw, 1.0, params, grads, state)?;
                }
            }
            t.take_turns();
        }
        Ok(())
    }
}

impl<V, const M: usize, const I: usize> Shard for Planes<V, M, I>
where
    V: Variant<f32, M, I> + Send,
{
    fn obey(&mut self, order: Order) -> Result<Reply, BenchError> {
        match order {
            Order::Accumulate(state) => return self.accumulate(state),
            Order::SumPlainly(state) => {
                return Ok(Reply { sum: self.sum_plainly(state), ..Reply::NONE });
            }
            Order::Ascend { state, scale, turn } => self.ascend(state, scale, turn)?,
            Order::AscendInPlace { state, scale } => self.ascend_in_place(state, scale)?,
            Order::Restore => self.restore()?,
            Order::Descend { base, state } => self.descend(base, state)?,
            Order::CheckFirstAscent { state, scale } => self.check_first_ascent(state, scale)?,
            Order::CheckInPlace { state, scale } => self.check_in_place(state, scale)?,
            Order::CheckFirstDescent { base } => self.check_first_descent(base)?,
            Order::CheckFinite => self.check_finite()?,
        }
        Ok(Reply::NONE)
    }

    fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }
}
