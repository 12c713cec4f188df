//! What several tests share.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

use presam_oracle::{Ascent, Format, LengthRule, Rule, RuleState, Segment, ascend};

pub const RHO: f64 = 0.05;
/// The ascent gradients of four steps; the first two are the golden ones.
pub const GRADS: [[f64; 5]; 4] = [
    [0.3, -0.4, 1.2, 0.0, -0.05],
    [0.1, -0.7, 1.6, 0.2, -0.15],
    [-0.2, 0.9, -0.3, 0.05, 0.1],
    [0.15, 0.25, 0.8, -0.4, 0.02],
];

/// Five numbers as variants.md prints them: three of the weight, a bar, two of the bias.
pub fn numbers(text: &str) -> [f64; 5] {
    let parsed: Vec<f64> =
        text.split([',', '|']).map(|x| x.trim().parse().expect("a number")).collect();
    parsed.try_into().expect("five numbers")
}

/// One ascent whose memory and counters are kept.
pub fn step(rule: Rule, segments: &mut [Segment], state: &mut RuleState, format: Format) -> Ascent {
    let ascent =
        ascend(rule, LengthRule::NORMALISED, segments, *state, format).expect("the shapes fit");
    ascent.store_memory(segments);
    *state = ascent.state;
    ascent
}

pub fn set_grads(segments: &mut [Segment], grads: &[f64; 5]) {
    segments[0].grads = grads[..3].to_vec();
    segments[1].grads = grads[3..].to_vec();
}

/// A weight and a bias; every input plane is 1, so masks and preconditioners do nothing.
pub fn model(rule: Rule) -> Vec<Segment> {
    let mut segments: Vec<Segment> = [vec![1.0, -2.0, 0.5], vec![0.25, 0.0]]
        .into_iter()
        .map(|w| {
            let inputs = vec![vec![1.0; w.len()]; rule.inputs()];
            Segment::new(w, vec![], RHO).with_memory_for(rule).with_inputs(inputs)
        })
        .collect();
    segments[1].operator_applies = false;
    set_grads(&mut segments, &GRADS[0]);
    segments
}

pub fn perturbation(ascent: &Ascent) -> Vec<f64> {
    ascent.perturbation.iter().flat_map(|p| p.values.clone()).collect()
}

pub fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let tolerance = 1e-14 * expected.abs().max(1e-3);
        assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
    }
}

/// A linear congruential generator: sums of four uniforms, about normal.
pub struct Random(pub u64);

impl Random {
    /// In [-1/2, 1/2).
    pub fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 40) as f32 / (1 << 24) as f32 - 0.5
    }

    /// `n` of them.
    pub fn normals(&mut self, n: usize, spread: f32) -> Vec<f32> {
        (0..n)
            .map(|_| spread * (self.uniform() + self.uniform() + self.uniform() + self.uniform()))
            .collect()
    }
}

pub fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}
