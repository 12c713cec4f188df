//! [`Tensor`]: the planes of one segment, and the numbers they start from.

use std::array;

/// One segment with every plane that a step with SGD and momentum touches.
pub struct Tensor<const M: usize, const I: usize> {
    pub params: Vec<f32>,
    pub grads: Vec<f32>,
    pub perturbed_grads: Vec<f32>,
    pub perturbed: Vec<f32>,
    pub velocity: Vec<f32>,
    pub memory: [Vec<f32>; M],
    pub inputs: [Vec<f32>; I],
}

/// What a rule's inputs are.
#[derive(Clone, Copy)]
pub enum Input {
    /// 0 or 1.
    Mask,
    /// A preconditioner's diagonal, positive.
    Diagonal,
}

impl<const M: usize, const I: usize> Tensor<M, I> {
    /// Parameters in [-1, 1), two gradients of opposite sign, inputs of their kind, zeros elsewhere.
    ///
    /// The gradients differ by 0.5 at least and [`take_turns`](Self::take_turns), since one that
    /// repeats would end the work of every rule that subtracts an average: Friendly SAM's slope
    /// and infoSAM's variance would die, the draft would divide by zero.
    pub fn new(len: usize, input: Input, random: &mut Random) -> Self {
        let mut plane = |value: fn(f32) -> f32| (0..len).map(|_| value(random.unit())).collect();
        let grads: Vec<f32> = plane(|u| if u < 0.5 { u - 0.75 } else { u - 0.25 });
        let sizes: Vec<f32> = plane(|u| 0.25 + 0.5 * u);
        Self {
            params: plane(|u| 2.0 * u - 1.0),
            perturbed_grads: grads.iter().zip(sizes).map(|(g, size)| -size.copysign(*g)).collect(),
            grads,
            perturbed: vec![0.0; len],
            velocity: vec![0.0; len],
            memory: array::from_fn(|_| vec![0.0; len]),
            inputs: array::from_fn(|_| match input {
                Input::Mask => plane(|u| (2.0 * u).floor()),
                Input::Diagonal => plane(|u| 0.5 + u),
            }),
        }
    }

    /// This tensor's numbers as pieces of at most `length` elements, each with memory of its own.
    pub fn cut(&self, length: usize) -> impl Iterator<Item = Self> {
        let len = self.params.len();
        (0..len).step_by(length.max(1)).map(move |start| {
            let range = start..len.min(start + length);
            let piece = |plane: &Vec<f32>| plane[range.clone()].to_vec();
            Self {
                params: piece(&self.params),
                grads: piece(&self.grads),
                perturbed_grads: piece(&self.perturbed_grads),
                perturbed: piece(&self.perturbed),
                velocity: piece(&self.velocity),
                memory: self.memory.each_ref().map(piece),
                inputs: self.inputs.each_ref().map(piece),
            }
        })
    }

    /// The two gradients change places for the next step: no bytes are moved.
    pub fn take_turns(&mut self) {
        std::mem::swap(&mut self.grads, &mut self.perturbed_grads);
    }

    /// The planes that a step writes, by name.
    pub fn results(&self) -> impl Iterator<Item = (&'static str, &[f32])> {
        let named = [
            ("params", &self.params),
            ("perturbed", &self.perturbed),
            ("velocity", &self.velocity),
        ];
        let memory = self.memory.iter().map(|plane| ("memory", plane));
        named.into_iter().chain(memory).map(|(name, plane)| (name, plane.as_slice()))
    }
}

/// Splitmix64: the same numbers in every run.
pub struct Random(pub u64);

impl Random {
    /// A multiple of 2^-24 in [0, 1).
    fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u64 << 24) as f32
    }
}
