//! A trainer's tensors that a target can spoil.

use crate::draw::{Draw, Kind};
use crate::same::same;
use presam_backends::Layer;
use presam_backends::layer::Model;
use presam_conformance::Answer;

/// One to four tensors of the two groups, with as many planes of memory, inputs and state; state and memory
/// are zero, as before a first step.
pub fn model(draw: &mut Draw<'_>, [memory, inputs, state]: [usize; 3]) -> Model<f32> {
    let layer = |draw: &mut Draw<'_>| {
        let n = draw.length();
        let params = draw.plane(n, Kind::Tame);
        let inputs = (0..inputs).map(|_| draw.plane(n, Kind::Tame)).collect();
        Layer::new(draw.below(2), params, inputs, [memory, state])
    };
    let tensors = (0..=draw.below(4)).map(|_| layer(draw)).collect();
    Model { tensors, fails_after: None }
}

/// A gradient for each tensor.
pub fn gradient(model: &Model<f32>, draw: &mut Draw<'_>) -> Vec<Vec<f32>> {
    let kind = if draw.rarely(4) { Kind::Any } else { Kind::Tame };
    model.tensors.iter().map(|t| draw.plane(t.own.params.len(), kind)).collect()
}

/// Writes a gradient.
pub fn set_gradient(model: &mut Model<f32>, gradient: &[Vec<f32>]) {
    model.tensors.iter_mut().zip(gradient).for_each(|(t, g)| t.own.grads.clone_from(g));
}

/// Whether parameters, memory and state are what `answer` left.
pub fn is_left_by(model: &Model<f32>, answer: &Answer<f32>) -> bool {
    model.tensors.iter().zip(&answer.segments).all(|(t, to)| {
        let planes = t.own.memory.iter().chain(&t.own.state);
        let pairs = planes.zip(to.memory.iter().chain(&to.state));
        same(&t.own.params, &to.params) && { pairs }.all(|(a, b)| same(a, b))
    })
}
