//! The step in a trainer of one's own, phase by phase: the fifteen lines in `sam_step`.
//!
//! The loss (a b - 1)^2 / 2 is zero along the curve a b = 1, and its curvature there is a^2 + b^2:
//! smallest at (1, 1). Gradient descent stays at whatever point of the curve it meets; SAM walks on
//! along the curve to where it is flat.

use presam::{
    BaseOptimizer, BaseState, Cpu, Error, LengthRule, PartialNorm, RuleState, Sam, Sgd,
    SgdMomentum, Variant, finish,
};

/// Everything the trainer keeps.
struct Trainer {
    params: Vec<f32>,
    grads: Vec<f32>,
    perturbed: Vec<f32>,
    velocity: Vec<f32>,
    base: SgdMomentum<f32>,
    rule_state: RuleState<f32>,
    base_state: BaseState,
}

/// The trainer's own part: the gradient of the loss at `params`.
fn gradient(params: &[f32], grads: &mut [f32]) {
    let error = params[0] * params[1] - 1.0;
    grads.copy_from_slice(&[error * params[1], error * params[0]]);
}

impl Trainer {
    fn new() -> Result<Self, Error> {
        Ok(Self {
            params: vec![3.0, 0.5],
            grads: vec![0.0; 2],
            perturbed: vec![0.0; 2],
            velocity: vec![0.0; 2],
            base: Sgd::new(0.01)?.with_momentum(0.9)?,
            rule_state: RuleState::new(),
            base_state: BaseState::new(),
        })
    }

    /// One step of SAM with radius `rho`. A radius of 0 is the base optimizer alone, bit for bit.
    fn sam_step(&mut self, cpu: Cpu, rho: f32) -> Result<(), Error> {
        let Self { params, grads, perturbed, velocity, base, rule_state, base_state } = self;
        gradient(params, grads);
        let sam = Sam::new();
        let rule = sam.arm(rule_state);
        let mut norm = PartialNorm::new();
        cpu.accumulate_norm(rule, params, grads, [], [], &mut norm)?;
        let ascent = finish(sam, &norm, rule_state)?;
        let scale = ascent.scale(rho, LengthRule::NORMALISED)?;
        cpu.ascend(rule, scale, params, grads, [], [], perturbed)?;
        gradient(perturbed, grads);
        cpu.descend(base.arm(base_state), 1.0, params, grads, [velocity])?;
        *base_state = base.advance(base_state);
        Ok(())
    }

    /// Loss, and the curvature of the loss across the curve.
    fn state(&self) -> [f32; 2] {
        let (a, b) = (self.params[0], self.params[1]);
        [(a * b - 1.0).powi(2) / 2.0, a * a + b * b]
    }
}

fn main() -> Result<(), Error> {
    let cpu = Cpu::detect();
    let (mut plain, mut sharpness_aware) = (Trainer::new()?, Trainer::new()?);
    println!("{:>5} {:>24} {:>24}", "step", "SGD: loss, curvature", "SAM: loss, curvature");
    for step in 0..=2000 {
        if step % 400 == 0 {
            let ([l, c], [sam_l, sam_c]) = (plain.state(), sharpness_aware.state());
            println!("{step:>5} {l:>14.6} {c:>9.4} {sam_l:>14.6} {sam_c:>9.4}");
        }
        plain.sam_step(cpu, 0.0)?;
        sharpness_aware.sam_step(cpu, 0.1)?;
    }
    let ([loss, curvature], [sam_loss, sam_curvature]) = (plain.state(), sharpness_aware.state());
    assert!(loss < 1e-3 && sam_loss < 1e-2, "both reach the curve");
    assert!(curvature > 5.0, "SGD stays where it met the curve");
    assert!(sam_curvature < 2.1, "SAM ends at the flattest point, curvature 2");
    Ok(())
}
