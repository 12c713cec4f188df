//! A smooth stochastic problem with a known minimum, for the convergence of preSAM.
//!
//! ```text
//! f(w) = sum_i w_i^2 / (1 + w_i^2)     not convex; minimum 0 at w = 0; |f''| <= 2, |f'| < 1
//! g    = grad f(w) + noise             noise uniform in [-1, 1], drawn once a step, for both gradients
//! ```
//!
//! With eta = eta_0 / sqrt(T) and rho = rho_0 / sqrt(T), preSAM's analysis bounds the mean of
//! || grad f(w_t) ||^2 over T steps by O(1 / sqrt(T)) for bounded C and D.

use presam::Cpu;
use presam_backends::Phases;
use presam_conformance::{Backend, Base, Case, LengthRule, Options, Rule, RuleState, Segment};

const DIMENSION: usize = 24;
const LEARNING_RATE: f64 = 1.0;
const RHO: f64 = 4.0;

/// How the learning rate follows the number of steps T.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// eta_0 / sqrt(T): what the analysis asks for.
    Falling,
    /// eta_0 / 16, whatever T: its noise never dies.
    Fixed,
}

/// The slope of f in one coordinate.
fn slope(w: f64) -> f64 {
    let square = 1.0 + w * w;
    2.0 * w / (square * square)
}

/// A linear congruential generator, uniform in [-1, 1).
struct Noise(u64);

impl Noise {
    fn draw(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

fn start(rule: Rule, steps: u32, rate: Rate) -> Case<f64> {
    let root = f64::from(steps).sqrt();
    let learning_rate = match rate {
        Rate::Falling => LEARNING_RATE / root,
        Rate::Fixed => LEARNING_RATE / 16.0,
    };
    let plane = |f: fn(usize) -> f64| (0..DIMENSION).map(f).collect::<Vec<_>>();
    let ones = |count: usize| vec![vec![1.0; DIMENSION]; count];
    let segment = Segment {
        options: Options::new(RHO / root),
        params: plane(|i| 0.5 + (i % 7) as f64 / 4.0),
        grads: plane(|_| 0.0),
        perturbed_grads: plane(|_| 0.0),
        memory: vec![plane(|_| 0.0); rule.memory()],
        // Every other element is masked in.
        inputs: ones(rule.inputs()).into_iter().map(|_| plane(|i| (i % 2) as f64)).collect(),
        state: vec![],
    };
    Case {
        rule,
        length: LengthRule::NORMALISED,
        segments: vec![segment],
        rule_state: RuleState::default(),
        base: Base::Sgd { learning_rate, weight_decay: 0.0 },
        base_steps: 0,
    }
}

/// The mean of || grad f(w_t) ||^2 over `steps` steps of `rule`.
///
/// # Errors
/// A step that core refuses.
pub fn mean_squared_gradient_norm(
    rule: Rule,
    steps: u32,
    rate: Rate,
    seed: u64,
) -> Result<f64, String> {
    let mut core = Phases(Cpu::detect());
    let mut noise = Noise(seed);
    let mut case = start(rule, steps, rate);
    let mut total = 0.0;
    for _ in 0..steps {
        let drawn: Vec<f64> = (0..DIMENSION).map(|_| noise.draw()).collect();
        let noisy = |params: &[f64]| -> Vec<f64> {
            params.iter().zip(&drawn).map(|(w, noise)| slope(*w) + noise).collect()
        };
        for segment in &mut case.segments {
            total += segment.params.iter().map(|w| slope(*w).powi(2)).sum::<f64>();
            segment.grads = noisy(&segment.params);
        }
        // The first answer says where the second gradient is taken; a step is pure, so it can be asked twice.
        let ascended = core.step(&case)?;
        for (segment, answer) in case.segments.iter_mut().zip(&ascended.segments) {
            segment.perturbed_grads = noisy(&answer.perturbed);
        }
        let answer = core.step(&case)?;
        case = case.next(&answer, &[]);
    }
    Ok(total / f64::from(steps))
}

/// (T, mean squared gradient norm, averaged over `seeds`) for T = 2^8, 2^9, ..., 2^13.
///
/// # Errors
/// A step that core refuses.
pub fn curve(rule: Rule, rate: Rate, seeds: u64) -> Result<Vec<(f64, f64)>, String> {
    let point = |exponent: u32| {
        let steps = 1 << exponent;
        let runs = (0..seeds).map(|seed| mean_squared_gradient_norm(rule, steps, rate, seed));
        let sum: f64 = runs.sum::<Result<_, _>>()?;
        Ok((f64::from(steps), sum / seeds as f64))
    };
    (8..=13).map(point).collect()
}

/// The least-squares slope of log y over log x.
#[must_use]
pub fn fitted_slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean = |f: fn(&(f64, f64)) -> f64| logs.iter().map(f).sum::<f64>() / logs.len() as f64;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let covariance: f64 = logs.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    covariance / logs.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}
