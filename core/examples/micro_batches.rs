//! A batch in parts, and SAM in a part of the run: what changes in a trainer of one's own.
//!
//! ```text
//! accumulation   g = sum_p w_p g_p(w), one perturbation, g~ = sum_p w_p g_p(perturbed)    the bits of the parts' order
//! m-SAM          g~ = sum_p w_p g_p(w + perturbation of part p)                            each part perturbs by itself
//! ```
//!
//! The loss is linear regression's: mean (a x + b - y)^2 / 2 over eight points, in four parts of two.

use presam::{
    BaseOptimizer, BaseState, Cpu, Error, LengthRule, PartialNorm, RuleState, Sam, Sgd, Variant,
    finish,
};

const POINTS: [[f32; 2]; 8] = [
    [-2.0, -4.9],
    [-1.5, -4.1],
    [-1.0, -3.2],
    [-0.5, -1.8],
    [0.5, 0.1],
    [1.0, 0.8],
    [1.5, 2.2],
    [2.0, 2.9],
];
const PARTS: usize = 4;
const RHO: f32 = 0.05;
const STEPS: usize = 200;
/// Plain descent before, SAM in every second step from there on.
const SAM_FROM: usize = 100;

/// Mean gradient of `points` at [a, b].
fn gradient(points: &[[f32; 2]], params: &[f32; 2]) -> [f32; 2] {
    let mut sum = [0.0; 2];
    for [x, y] in points {
        let error = params[0] * x + params[1] - y;
        sum[0] += error * x;
        sum[1] += error;
    }
    sum.map(|sum| sum / points.len() as f32)
}

/// The mean over the parts of what `of` makes of each: four adjacent parts, pairs first.
fn over_parts(
    mut of: impl FnMut(&[[f32; 2]]) -> Result<[f32; 2], Error>,
) -> Result<[f32; 2], Error> {
    let mut parts = [[0.0; 2]; PARTS];
    for (part, points) in parts.iter_mut().zip(POINTS.chunks(POINTS.len() / PARTS)) {
        *part = of(points)?.map(|entry| entry / PARTS as f32);
    }
    let sum = |[a, b]: [f32; 2], [c, d]: [f32; 2]| [a + c, b + d];
    Ok(sum(sum(parts[0], parts[1]), sum(parts[2], parts[3])))
}

/// w + perturbation, by the gradient given. A rule with memory keeps planes and `state` for each part that perturbs.
fn perturbed(cpu: Cpu, params: &[f32; 2], grads: &[f32; 2]) -> Result<[f32; 2], Error> {
    let (sam, mut state) = (Sam::new(), RuleState::new());
    let rule = sam.arm(&state);
    let mut norm = PartialNorm::new();
    cpu.accumulate_norm(rule, params, grads, [], [], &mut norm)?;
    let scale = finish(sam, &norm, &mut state)?.scale(RHO, LengthRule::NORMALISED)?;
    let mut moved = *params;
    cpu.ascend(rule, scale, params, grads, [], [], &mut moved)?;
    Ok(moved)
}

fn train(cpu: Cpu, local: bool) -> Result<[f32; 2], Error> {
    let (mut params, mut velocity) = ([0.0_f32; 2], [0.0_f32; 2]);
    let (base, mut state) = (Sgd::new(0.05_f32)?.with_momentum(0.9)?, BaseState::new());
    for step in 0..STEPS {
        let perturbs = step >= SAM_FROM && (step - SAM_FROM).is_multiple_of(2);
        let grads = if !perturbs {
            // The base optimizer alone: one gradient, no ascent, the rule's memory and counters stay.
            over_parts(|points| Ok(gradient(points, &params)))?
        } else if local {
            over_parts(|points| {
                Ok(gradient(points, &perturbed(cpu, &params, &gradient(points, &params))?))
            })?
        } else {
            let first = over_parts(|points| Ok(gradient(points, &params)))?;
            let moved = perturbed(cpu, &params, &first)?;
            over_parts(|points| Ok(gradient(points, &moved)))?
        };
        cpu.descend(base.arm(&state), 1.0, &mut params, &grads, [&mut velocity])?;
        state = base.advance(&state);
    }
    Ok(params)
}

fn main() -> Result<(), Error> {
    let cpu = Cpu::detect();
    for local in [false, true] {
        let [a, b] = train(cpu, local)?;
        println!("{} y = {a:.3} x + {b:.3}", if local { "m-SAM       " } else { "accumulation" });
        // Least squares: 2.0, -1.0.
        assert!((a - 2.0).abs() < 0.1 && (b + 1.0).abs() < 0.1);
    }
    Ok(())
}
