//! [`Stepper`]: one training step of any method over the network's tensors, by the phases of the core.

use presam::{
    BaseOptimizer, BaseState, Cpu, LookSam, Outcome, PartialNorm, RuleState, ScaledNorm, Variant,
    clip_factor, finish,
};
use std::time::{Duration, Instant};

use presam_model::Segment;

use super::network::Network;
use super::plan::{Descent, Plan};
use crate::error::Error;

/// Everything a method keeps from step to step.
pub(super) struct Stepper<V, B, const M: usize, const S: usize> {
    cpu: Cpu,
    plan: Plan,
    variant: V,
    base: B,
    rule_state: RuleState<f32>,
    base_state: BaseState<f32>,
    pub params: Vec<f32>,
    grads: Vec<f32>,
    perturbed: Vec<f32>,
    perturbed_grads: Vec<f32>,
    memory: [Vec<f32>; M],
    state: [Vec<f32>; S],
    /// LookSAM's g_v; empty for the others.
    kept: Vec<f32>,
    /// What the perturbation is measured in.
    moved: Vec<f32>,
    steps: u32,
    /// Time that this step spent on measuring, which no trainer would spend.
    measuring: Duration,
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// Mean loss of the batch at the unperturbed parameters (at the perturbed ones for one-gradient methods).
    pub loss: f32,
    /// Length of the perturbation; 0 where there was none.
    pub perturbation: f64,
    /// Whether the base optimizer took its step.
    pub descended: bool,
    /// Wall time, without that of measuring the perturbation.
    pub time: Duration,
}

impl<V, B, const M: usize, const S: usize> Stepper<V, B, M, S>
where
    V: Variant<f32, M, 0>,
    B: BaseOptimizer<f32, S>,
{
    /// A stepper at `params`, before its first step.
    pub fn new(plan: Plan, variant: V, base: B, params: Vec<f32>) -> Self {
        let plane = || vec![0.0; params.len()];
        let kept =
            if matches!(plan.descent, Descent::LookSam { .. }) { plane() } else { Vec::new() };
        Self {
            cpu: Cpu::detect(),
            variant,
            base,
            rule_state: RuleState::new(),
            base_state: BaseState::new(),
            grads: plane(),
            perturbed: plane(),
            perturbed_grads: plane(),
            memory: std::array::from_fn(|_| plane()),
            state: std::array::from_fn(|_| plane()),
            kept,
            moved: plane(),
            steps: 0,
            measuring: Duration::ZERO,
            plan,
            params,
        }
    }

    /// One step on the gathered batch at `learning_rate`.
    pub fn step(&mut self, network: &mut Network<'_>, learning_rate: f32) -> Result<Step, Error> {
        self.measuring = Duration::ZERO;
        let clock = Instant::now();
        let step = self.untimed(network, learning_rate)?;
        Ok(Step { time: clock.elapsed().saturating_sub(self.measuring), ..step })
    }

    fn untimed(&mut self, network: &mut Network<'_>, learning_rate: f32) -> Result<Step, Error> {
        self.base = self.base.with_learning_rate(learning_rate)?;
        let step = self.steps;
        self.steps += 1;
        if self.plan.variant.is_none() {
            let loss = network.gradient(&self.params, &mut self.perturbed_grads)?;
            let descended = self.descend(&network.segments)?;
            return Ok(Step { loss, descended, ..Step::default() });
        }
        if self.plan.is_one_gradient() {
            if let Some(momentum) = self.state.first() {
                self.grads.copy_from_slice(momentum);
            }
            let Some(perturbation) = self.ascend(&network.segments)? else {
                return Ok(Step { loss: f32::NAN, ..Step::default() });
            };
            let loss = network.gradient(&self.perturbed, &mut self.perturbed_grads)?;
            let descended = self.descend(&network.segments)?;
            return Ok(Step { loss, perturbation, descended, ..Step::default() });
        }
        let loss = network.gradient(&self.params, &mut self.grads)?;
        if let Descent::LookSam { interval, look } = self.plan.descent
            && !step.is_multiple_of(interval.max(1))
        {
            self.reuse(look)?;
            let descended = self.descend(&network.segments)?;
            return Ok(Step { loss, descended, ..Step::default() });
        }
        let Some(perturbation) = self.ascend(&network.segments)? else {
            return Ok(Step { loss, ..Step::default() });
        };
        network.gradient(&self.perturbed, &mut self.perturbed_grads)?;
        self.mix()?;
        let descended = self.descend(&network.segments)?;
        Ok(Step { loss, perturbation, descended, ..Step::default() })
    }

    /// Perturbs every tensor; the length of the perturbation, `None` where the gradient is not finite.
    fn ascend(&mut self, segments: &[Segment]) -> Result<Option<f64>, Error> {
        let rule = |segment: &Segment, state: &RuleState<f32>| {
            self.variant.with_operator(!segment.is_bias || self.plan.operator_on_biases).arm(state)
        };
        let before = self.rule_state;
        let mut norm = PartialNorm::new();
        for segment in segments {
            let range = segment.range();
            let memory = self.memory.each_ref().map(|plane| &plane[range.clone()]);
            let (params, grads) = (&self.params[range.clone()], &self.grads[range]);
            let rule = rule(segment, &before);
            self.cpu.accumulate_norm(rule, params, grads, memory, [], &mut norm)?;
        }
        let ascent = finish(self.variant, &norm, &mut self.rule_state)?;
        if ascent.outcome == Outcome::NonFinite {
            return Ok(None);
        }
        let scale = ascent.scale(self.plan.rho as f32, self.plan.length)?;
        for segment in segments {
            let range = segment.range();
            let rule = rule(segment, &before);
            let memory = self.memory.each_mut().map(|plane| &mut plane[range.clone()]);
            let perturbed = &mut self.perturbed[range.clone()];
            let (params, grads) = (&self.params[range.clone()], &self.grads[range]);
            self.cpu.ascend(rule, scale, params, grads, memory, [], perturbed)?;
        }
        let clock = Instant::now();
        let length = self.distance()?;
        self.measuring += clock.elapsed();
        Ok(Some(length))
    }

    /// || perturbed - params ||, by the norm contract, so that a device measures the same bits.
    fn distance(&mut self) -> Result<f64, Error> {
        let points = self.perturbed.iter().zip(&self.params);
        for (moved, (perturbed, param)) in self.moved.iter_mut().zip(points) {
            *moved = perturbed - param;
        }
        let mut sums = PartialNorm::new();
        self.cpu.accumulate_gradient(1.0, &self.moved, &mut sums)?;
        Ok(ScaledNorm::of(sums.total()?).value().into())
    }

    /// What GSAM, WSAM and LookSAM do to the second gradient.
    fn mix(&mut self) -> Result<(), Error> {
        let mut sums = PartialNorm::new();
        match self.plan.descent {
            Descent::Plain => {}
            Descent::Gsam(gsam) => {
                self.cpu.accumulate_pair(&self.perturbed_grads, &self.grads, &mut sums)?;
                let (mix, _) = gsam.arm(&sums)?;
                self.cpu.mix_gradients(mix, &self.grads, &mut self.perturbed_grads)?;
            }
            Descent::Wsam(wsam) => {
                self.cpu.mix_gradients(wsam, &self.grads, &mut self.perturbed_grads)?;
            }
            Descent::LookSam { look, .. } => {
                self.cpu.accumulate_pair(&self.grads, &self.perturbed_grads, &mut sums)?;
                self.kept.copy_from_slice(&self.perturbed_grads);
                let (split, _) = look.split(&sums)?;
                self.cpu.mix_gradients(split, &self.grads, &mut self.kept)?;
            }
        }
        Ok(())
    }

    /// LookSAM's gradient of a step without a second one.
    fn reuse(&mut self, look: LookSam<f32>) -> Result<(), Error> {
        let (mut norm, mut kept_norm) = (PartialNorm::new(), PartialNorm::new());
        self.cpu.accumulate_gradient(1.0, &self.grads, &mut norm)?;
        self.cpu.accumulate_gradient(1.0, &self.kept, &mut kept_norm)?;
        let (mix, _) = look.reuse(&norm, &kept_norm)?;
        self.perturbed_grads.copy_from_slice(&self.kept);
        self.cpu.mix_gradients(mix, &self.grads, &mut self.perturbed_grads)?;
        Ok(())
    }

    /// The base optimizer's step; skipped where the second gradient is not finite.
    fn descend(&mut self, segments: &[Segment]) -> Result<bool, Error> {
        let mut norm = PartialNorm::new();
        for segment in segments {
            let grads = &self.perturbed_grads[segment.range()];
            self.cpu.accumulate_gradient(1.0, grads, &mut norm)?;
        }
        if clip_factor(&norm, f32::INFINITY)?.1 == Outcome::NonFinite {
            return Ok(false);
        }
        let rule = self.base.arm(&self.base_state);
        for segment in segments {
            let range = segment.range();
            let state = self.state.each_mut().map(|plane| &mut plane[range.clone()]);
            let grads = &self.perturbed_grads[range.clone()];
            self.cpu.descend(rule, 1.0, &mut self.params[range], grads, state)?;
        }
        self.base_state = self.base.advance(&self.base_state);
        Ok(true)
    }
}
