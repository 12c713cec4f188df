//! The core's step over a [`Case`], phase by phase.

use presam::{
    BaseOptimizer, BaseState, Cpu, Group, LengthRule, Outcome, PartialNorm, RuleState, Scale,
    ScaledNorm, SecondGradient, StepReport, Unscaled, Variant, clip_factor, finish,
};

use super::case::{Case, Tensor};

/// What a step leaves, besides the tensors it changed.
pub(super) struct Answer {
    pub report: StepReport<f32>,
    /// The parameters at which the second gradient is taken.
    pub perturbed: Vec<Vec<f32>>,
}

/// Rule and base optimizer with their counters.
pub(super) struct Machine<V, B> {
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

fn planes<const N: usize>(planes: &[Vec<f32>]) -> [&[f32]; N] {
    std::array::from_fn(|i| planes.get(i).map_or(&[][..], Vec::as_slice))
}

fn planes_mut<const N: usize>(planes: &mut [Vec<f32>]) -> [&mut [f32]; N] {
    let mut planes = planes.iter_mut();
    std::array::from_fn(|_| planes.next().map_or(&mut [][..], Vec::as_mut_slice))
}

/// One step of the core over the tensors of `case`, which it changes.
pub(super) fn step<V, B, const M: usize, const I: usize, const S: usize>(
    machine: &mut Machine<V, B>,
    case: &mut Case,
) -> Result<Answer, presam::Error>
where
    V: Variant<f32, M, I>,
    B: BaseOptimizer<f32, S>,
{
    let cpu = Cpu::plain();
    let before = machine.rule_state;
    let unscale = 1.0 / case.loss_scale;
    let arm = |group: &Group<f32>| {
        let variant = machine.variant.with_operator(group.operator());
        Unscaled::new(variant.arm(&before), unscale)
    };
    let (mut norm, mut uncounted) = (PartialNorm::new(), PartialNorm::new());
    for t in &case.tensors {
        let group = &case.groups[t.group];
        if group.counts_in_norm() {
            let (memory, inputs) = (planes(&t.memory), planes(&t.inputs));
            cpu.accumulate_norm(arm(group), &t.params, &t.grads, memory, inputs, &mut norm)?;
        } else if group.is_perturbed() {
            cpu.accumulate_gradient(unscale, &t.grads, &mut uncounted)?;
        }
    }
    let ascent = if uncounted.total()?.sum.is_finite() {
        finish(machine.variant, &norm, &mut machine.rule_state)?
    } else {
        let norm = ScaledNorm::of(norm.total()?);
        presam::Ascent { outcome: Outcome::NonFinite, norm }
    };
    let mut perturbed = Vec::new();
    for t in &mut case.tensors {
        let group = &case.groups[t.group];
        let scale = ascent.scale(group.rho(), machine.length)?;
        let mut out = t.params.clone();
        let moves = group.is_perturbed();
        if moves || M > 0 && group.counts_in_norm() {
            let scale = if moves { scale } else { Scale { scale: 0.0, ..scale } };
            let (memory, inputs) = (planes_mut(&mut t.memory), planes(&t.inputs));
            cpu.ascend(arm(group), scale, &t.params, &t.grads, memory, inputs, &mut out)?;
        }
        perturbed.push(out);
    }
    let (second, descended) = descend(cpu, machine, case, ascent.outcome)?;
    Ok(Answer { report: StepReport { ascent, second, descended }, perturbed })
}

fn descend<V, B, const S: usize>(
    cpu: Cpu,
    machine: &mut Machine<V, B>,
    case: &mut Case,
    ascent: Outcome,
) -> Result<(Outcome, bool), presam::Error>
where
    B: BaseOptimizer<f32, S>,
{
    if ascent == Outcome::NonFinite {
        return Ok((Outcome::Finite, false));
    }
    let unscale = 1.0 / case.loss_scale;
    let mut sums = PartialNorm::new();
    for t in &case.tensors {
        cpu.accumulate_gradient(unscale, &t.perturbed_grads, &mut sums)?;
    }
    let most = if case.clipped { 0.5 } else { f32::INFINITY };
    let (factor, second) = clip_factor(&sums, most)?;
    if second == Outcome::NonFinite {
        return Ok((second, false));
    }
    let before = machine.base_state;
    for Tensor { group, params, perturbed_grads, state, .. } in &mut case.tensors {
        let base = match case.groups[*group].weight_decay() {
            Some(weight_decay) => machine.base.with_weight_decay(weight_decay)?,
            None => machine.base,
        };
        let state = planes_mut(state);
        cpu.descend(base.arm(&before), unscale * factor, params, perturbed_grads, state)?;
    }
    machine.base_state = machine.base.advance(&before);
    Ok((second, true))
}
