//! [`Shard`]: a thread's share of the planes, and what can be asked of it.

use presam::{
    AnyBase, AnyVariant, Armed, ArmedBase, Ascending, BaseState, Cpu, DynBase, DynVariant, Error,
    PartialNorm, Planes, PlanesMut, RuleState, Scale,
};

use super::tensor::{Share, Tensor, share};
use crate::bench::{Base, Shape};

/// A variant and the base optimizer that steps after it.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::bench) struct Rules {
    pub variant: AnyVariant<f32>,
    pub base: AnyBase<f32>,
}

impl Rules {
    /// The variant of that name with its defaults.
    pub fn new(variant: &str, base: Base) -> Result<Self, Error> {
        Ok(Self { variant: AnyVariant::by_name(variant)?, base: base.optimizer()? })
    }

    /// Planes of memory, inputs and state.
    pub fn planes(&self) -> [usize; 3] {
        let planes = self.variant.planes();
        [planes.memory, planes.inputs, self.base.state_planes()]
    }
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
    /// Perturb in place, then let the gradients change places, and parameters and backup.
    AscendInPlace { state: RuleState<f32>, scale: Scale<f32> },
    /// Bring the parameters back.
    Restore,
    /// The base optimizer's step, then let the gradients change places.
    Descend(BaseState),
    /// See `check`.
    SumPlainly,
    /// See `check`.
    CheckFirst(Scale<f32>),
    /// See `check`.
    CheckInPlace { state: RuleState<f32>, scale: Scale<f32> },
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

/// A thread's share of a case: its pieces in order, and the rules that run over them.
pub(in crate::bench) struct Shard {
    pub(super) cpu: Cpu,
    pub(super) rules: Rules,
    pub(super) share: Share,
    pub tensors: Vec<Tensor>,
}

impl Shard {
    /// Share `index` of `of`, before its first step.
    pub fn new(rules: Rules, shape: &Shape, index: usize, of: usize) -> Self {
        let share = share(shape, index, of);
        let tensor = |piece: &_| Tensor::new(piece, rules.planes());
        let tensors = share.pieces.iter().map(tensor).collect();
        Self { cpu: Cpu::detect(), rules, share, tensors }
    }

    pub fn obey(&mut self, order: Order) -> Result<Reply, crate::error::Error> {
        match order {
            Order::Accumulate(state) => {
                return Ok(Reply { norm: self.accumulate(state)?, ..Reply::NONE });
            }
            Order::SumPlainly => return Ok(Reply { sum: self.sum_plainly()?, ..Reply::NONE }),
            Order::Ascend { state, scale, turn } => self.ascend(state, scale, turn)?,
            Order::AscendInPlace { state, scale } => {
                self.ascend_in_place(state, scale)?;
                self.tensors.iter_mut().for_each(Tensor::take_back);
            }
            Order::Restore => self.restore()?,
            Order::Descend(state) => self.descend(state)?,
            Order::CheckFirst(scale) => self.check_first(scale)?,
            Order::CheckInPlace { state, scale } => self.check_in_place(state, scale)?,
            Order::CheckFinite => self.check_finite()?,
        }
        Ok(Reply::NONE)
    }

    pub(super) fn accumulate(&self, state: RuleState<f32>) -> Result<PartialNorm<f32>, Error> {
        let (rule, at) = (&self.rules.variant, Armed::new(self.cpu, state));
        let mut norm = PartialNorm::starting_at(self.share.first_chunk);
        for t in &self.tensors {
            let (memory, inputs) = (Planes::of(&t.memory), Planes::of(&t.inputs));
            rule.accumulate_norm(&at, &t.params, &t.grads, memory, inputs, &mut norm)?;
        }
        Ok(norm)
    }

    pub(super) fn ascend(
        &mut self,
        state: RuleState<f32>,
        scale: Scale<f32>,
        turn: bool,
    ) -> Result<(), Error> {
        let (rule, at) = (&self.rules.variant, Armed::new(self.cpu, state));
        for t in &mut self.tensors {
            let (memory, inputs) = (PlanesMut::of(&mut t.memory), Planes::of(&t.inputs));
            let planes = Ascending { grads: &t.grads, memory, inputs };
            rule.ascend(&at, scale, &t.params, planes, &mut t.perturbed)?;
            if turn {
                t.take_turns();
            }
        }
        Ok(())
    }

    pub(super) fn ascend_in_place(
        &mut self,
        state: RuleState<f32>,
        scale: Scale<f32>,
    ) -> Result<(), Error> {
        let (rule, at) = (&self.rules.variant, Armed::new(self.cpu, state));
        for t in &mut self.tensors {
            let (memory, inputs) = (PlanesMut::of(&mut t.memory), Planes::of(&t.inputs));
            let planes = Ascending { grads: &t.grads, memory, inputs };
            rule.ascend_in_place(&at, scale, &mut t.params, planes, &mut t.perturbed)?;
            t.take_turns();
        }
        Ok(())
    }

    pub(super) fn restore(&mut self) -> Result<(), Error> {
        self.tensors.iter_mut().try_for_each(|t| self.cpu.restore(&mut t.params, &t.perturbed))
    }

    pub(super) fn descend(&mut self, state: BaseState) -> Result<(), Error> {
        let (base, at) = (&self.rules.base, ArmedBase::new(self.cpu, state));
        for t in &mut self.tensors {
            let state = PlanesMut::of(&mut t.state);
            base.descend(&at, 1.0, &mut t.params, &t.perturbed_grads, state)?;
            t.take_turns();
        }
        Ok(())
    }
}
