//! The core's step over a [`Case`], phase by phase.

use presam::{
    Ascent, BaseOptimizer, BaseState, Cpu, Group, LengthRule, Outcome, PartialNorm, RuleState,
    Scale, ScaledNorm, SecondGradient, StepReport, Unscaled, Variant, clip_factor, finish,
};

use super::case::{Case, Tensor};
use presam_backends::planes::{slices, slices_mut};

/// What a step leaves, besides the tensors it changed.
pub(super) struct Answer {
    pub report: StepReport<f32>,
    /// The parameters at which the second gradient is taken.
    pub perturbed: Vec<Vec<f32>>,
}

/// Rule and base optimizer with their counters.
pub(super) struct Machine<V, B, const M: usize, const I: usize, const S: usize> {
    pub variant: V,
    pub base: B,
    pub length: LengthRule<f32>,
    pub rule_state: RuleState<f32>,
    pub base_state: BaseState<f32>,
}

/// What the second gradient of a case goes through.
pub(super) fn second(case: &Case) -> SecondGradient<f32> {
    if case.clipped { SecondGradient::Clipped(0.5) } else { SecondGradient::Checked }
}

/// A rule and a base optimizer, whichever: what runs and compares a case is then compiled once.
pub(super) trait Core {
    /// One step of the core over the tensors of `case`, which it changes.
    fn step(&mut self, case: &mut Case) -> Result<Answer, presam::Error>;
    fn length(&self) -> LengthRule<f32>;
    fn states(&self) -> (RuleState<f32>, BaseState<f32>);
}

impl<V, B, const M: usize, const I: usize, const S: usize> Core for Machine<V, B, M, I, S>
where
    V: Variant<f32, M, I>,
    B: BaseOptimizer<f32, S>,
{
    fn step(&mut self, case: &mut Case) -> Result<Answer, presam::Error> {
        let (ascent, perturbed) = ascend(self.variant, self.length, &mut self.rule_state, case)?;
        let (second, descended) = descend(self.base, &mut self.base_state, case, ascent.outcome)?;
        Ok(Answer { report: StepReport { ascent, second, descended }, perturbed })
    }

    fn length(&self) -> LengthRule<f32> {
        self.length
    }

    fn states(&self) -> (RuleState<f32>, BaseState<f32>) {
        (self.rule_state, self.base_state)
    }
}

fn ascend<V, const M: usize, const I: usize>(
    variant: V,
    length: LengthRule<f32>,
    rule_state: &mut RuleState<f32>,
    case: &mut Case,
) -> Result<(Ascent<f32>, Vec<Vec<f32>>), presam::Error>
where
    V: Variant<f32, M, I>,
{
    let cpu = Cpu::plain();
    let before = *rule_state;
    let unscale = 1.0 / case.loss_scale;
    let arm = |group: &Group<f32>| {
        Unscaled::new(variant.with_operator(group.operator()).arm(&before), unscale)
    };
    let (mut norm, mut uncounted) = (PartialNorm::new(), PartialNorm::new());
    for t in &case.tensors {
        let group = &case.groups[t.group];
        if group.counts_in_norm() {
            let (memory, inputs) = (slices(&t.memory), slices(&t.inputs));
            cpu.accumulate_norm(arm(group), &t.params, &t.grads, memory, inputs, &mut norm)?;
        } else if group.is_perturbed() {
            cpu.accumulate_gradient(unscale, &t.grads, &mut uncounted)?;
        }
    }
    let ascent = if uncounted.total()?.sum.is_finite() {
        finish(variant, &norm, rule_state)?
    } else {
        let norm = ScaledNorm::of(norm.total()?);
        Ascent { outcome: Outcome::NonFinite, norm }
    };
    let mut perturbed = Vec::new();
    for t in &mut case.tensors {
        let group = &case.groups[t.group];
        let scale = ascent.scale(group.rho(), length)?;
        let mut out = t.params.clone();
        let moves = group.is_perturbed();
        if moves || M > 0 && group.counts_in_norm() {
            let scale = if moves { scale } else { Scale { scale: 0.0, ..scale } };
            let (memory, inputs) = (slices_mut(&mut t.memory), slices(&t.inputs));
            cpu.ascend(arm(group), scale, &t.params, &t.grads, memory, inputs, &mut out)?;
        }
        perturbed.push(out);
    }
    Ok((ascent, perturbed))
}

fn descend<B, const S: usize>(
    base: B,
    base_state: &mut BaseState<f32>,
    case: &mut Case,
    ascent: Outcome,
) -> Result<(Outcome, bool), presam::Error>
where
    B: BaseOptimizer<f32, S>,
{
    if ascent == Outcome::NonFinite {
        return Ok((Outcome::Finite, false));
    }
    let (cpu, unscale) = (Cpu::plain(), 1.0 / case.loss_scale);
    let mut sums = PartialNorm::new();
    for t in &case.tensors {
        cpu.accumulate_gradient(unscale, &t.perturbed_grads, &mut sums)?;
    }
    let most = if case.clipped { 0.5 } else { f32::INFINITY };
    let (factor, second) = clip_factor(&sums, most)?;
    if second == Outcome::NonFinite {
        return Ok((second, false));
    }
    let before = *base_state;
    for Tensor { group, params, perturbed_grads, state, .. } in &mut case.tensors {
        let base = match case.groups[*group].weight_decay() {
            Some(weight_decay) => base.with_weight_decay(weight_decay)?,
            None => base,
        };
        let state = slices_mut(state);
        cpu.descend(base.arm(&before), unscale * factor, params, perturbed_grads, state)?;
    }
    *base_state = base.advance(&before);
    Ok((second, true))
}
