//! What stands beside the variants: second-gradient helpers, masks, schedules, and the model.

use presam::{
    Cpu, DynamicMask, Error, Gsam, LookSam, PartialNorm, Saner, Schedule, Sgd, TopK, Wsam,
    clip_factor, gsam_rho, kept_count,
};
#[cfg(feature = "model")]
use presam_model::Mlp;

/// Every mix of two gradients.
#[unsafe(export_name = "probe_mixes")]
pub fn mixes(
    alpha: f32,
    params: &mut [f32],
    grads: &[f32],
    perturbed_grads: &mut [f32],
    sums: &mut PartialNorm<f32>,
) -> Result<f32, Error> {
    let cpu = Cpu::plain();
    cpu.accumulate_pair(grads, perturbed_grads, sums)?;
    cpu.accumulate_difference(grads, perturbed_grads, sums)?;
    cpu.mix_gradients(Gsam::new(alpha)?.arm(sums)?.0, grads, perturbed_grads)?;
    cpu.mix_gradients(LookSam::new(alpha)?.split(sums)?.0, grads, perturbed_grads)?;
    cpu.mix_gradients(LookSam::new(alpha)?.reuse(sums, sums)?.0, grads, perturbed_grads)?;
    cpu.mix_gradients(Wsam::new(alpha)?, grads, perturbed_grads)?;
    cpu.mix_gradients(Saner::new(alpha)?, grads, perturbed_grads)?;
    cpu.correct(Wsam::new(alpha)?.correction(alpha), params, grads, perturbed_grads)?;
    cpu.accumulate_gradient(alpha, grads, sums)?;
    let (factor, _) = clip_factor(sums, alpha)?;
    cpu.descend(Sgd::new(alpha)?, factor, params, grads, [])?;
    Ok(factor)
}

/// Both mask updates.
#[unsafe(export_name = "probe_masks")]
pub fn masks(
    n: u64,
    sparsity: f64,
    progress: f64,
    scores: &[f32],
    mask: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let mut top = TopK::new(kept_count(n, sparsity)?);
    top.count(scores);
    top.narrow();
    top.write_mask(scores, mask)?;
    let (kept, grown) = DynamicMask::new(n, sparsity, progress)?.counts(progress);
    for (slot, score) in scratch.iter_mut().zip(DynamicMask::death_scores(scores, mask)) {
        *slot = score;
    }
    for (slot, score) in scratch.iter_mut().zip(DynamicMask::growth_scores(scores, mask)) {
        *slot += score;
    }
    let mut top = TopK::new(kept.wrapping_add(grown));
    top.count(scratch);
    top.narrow();
    top.grow_mask(scratch, mask)
}

/// Every schedule.
#[unsafe(export_name = "probe_schedules")]
pub fn schedules(
    value: f32,
    last: f32,
    step: u32,
    total: u32,
    milestones: &[u32],
) -> Result<f32, Error> {
    let constant = Schedule::constant(value)?.with_warm_up(total).at(step);
    let cosine = Schedule::cosine(value, last, total)?.with_warm_up(total).at(step);
    let multi_step = Schedule::multi_step(value, last, milestones)?.at(step);
    Ok(gsam_rho((constant, cosine), (multi_step, value), last))
}

/// The model: loss, gradient and predictions.
#[cfg(feature = "model")]
#[unsafe(export_name = "probe_model")]
pub fn model(
    widths: &[usize],
    params: &[f32],
    inputs: &[f32],
    labels: &[u8],
    batch: usize,
    grads: &mut [f32],
    scratch: &mut [f32],
    classes: &mut [usize],
) -> Result<f32, presam_model::Error> {
    let mlp = Mlp::new(widths)?;
    mlp.predict(params, inputs, classes, scratch)?;
    let correct = mlp.correct_count(params, inputs, labels, batch, scratch)?;
    let loss = mlp.loss_and_gradient(params, inputs, labels, batch, grads, scratch)?;
    let tensors = mlp.segments().count();
    Ok(loss + mlp.loss(params, inputs, labels, batch, scratch)? + (correct + tensors) as f32)
}
