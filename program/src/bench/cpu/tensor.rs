//! [`Tensor`]: the planes of a piece of a tensor; [`share`]: which pieces are a thread's.

use std::ops::Range;

use chacha20::ChaCha8Rng;
use presam::CHUNK;
use rand_core::{Rng, SeedableRng};

use crate::bench::Shape;

/// Words of a stream that are drawn at once.
const BLOCK: usize = 1024;

/// A piece of a tensor with every plane of a step.
pub(in crate::bench) struct Tensor {
    pub params: Vec<f32>,
    pub grads: Vec<f32>,
    pub perturbed_grads: Vec<f32>,
    /// The perturbed point, and the backup of an ascent in place.
    pub perturbed: Vec<f32>,
    pub memory: Vec<Vec<f32>>,
    pub inputs: Vec<Vec<f32>>,
    pub state: Vec<Vec<f32>>,
}

impl Tensor {
    /// Elements `range` of the model, with so many planes of memory, inputs and state: parameters in [-1, 1), two
    /// gradients of opposite sign, inputs in [0.5, 1.5), zeros elsewhere. A number depends on its place
    /// alone, not on the shares.
    ///
    /// The gradients differ by 0.5 at least and [`take_turns`](Self::take_turns): with one that repeats,
    /// every slope that subtracts an average would die, and the work with it.
    pub fn new(range: &Range<u64>, [memory, inputs, state]: [usize; 3]) -> Self {
        let len = (range.end - range.start) as usize;
        let zeros = |planes| vec![vec![0.0; len]; planes];
        let grads = plane(range, 1, |u| if u < 0.5 { u - 0.75 } else { u - 0.25 });
        let sizes = plane(range, 2, |u| 0.25 + 0.5 * u);
        let opposite = grads.iter().zip(sizes).map(|(grad, size)| -size.copysign(*grad)).collect();
        Self {
            params: plane(range, 0, |u| 2.0 * u - 1.0),
            grads,
            perturbed_grads: opposite,
            perturbed: vec![0.0; len],
            memory: zeros(memory),
            inputs: (0..inputs as u64).map(|input| plane(range, 3 + input, |u| 0.5 + u)).collect(),
            state: zeros(state),
        }
    }

    /// The two gradients change places for the next run: no bytes are moved.
    pub fn take_turns(&mut self) {
        std::mem::swap(&mut self.grads, &mut self.perturbed_grads);
    }

    /// Parameters and the backup of an ascent in place change places, so that the next one begins where this one did: |w|
    /// times a gradient, added as often as a row runs it, ends in infinities.
    pub fn take_back(&mut self) {
        std::mem::swap(&mut self.params, &mut self.perturbed);
    }

    /// The planes that a step writes, by name.
    pub fn written(&self) -> impl Iterator<Item = (&'static str, &[f32])> {
        let memory = self.memory.iter().map(|plane| ("memory", plane));
        let state = self.state.iter().map(|plane| ("state", plane));
        let own = [("params", &self.params), ("perturbed", &self.perturbed)].into_iter();
        own.chain(memory).chain(state).map(|(name, plane)| (name, plane.as_slice()))
    }

    /// The same elements as tensors of at most `len`.
    pub fn cut(&self, len: usize) -> Vec<Self> {
        let cut = |start| {
            let range = start..self.params.len().min(start + len);
            let piece = |plane: &Vec<f32>| plane[range.clone()].to_vec();
            let pieces = |planes: &[Vec<f32>]| planes.iter().map(piece).collect();
            Self {
                params: piece(&self.params),
                grads: piece(&self.grads),
                perturbed_grads: piece(&self.perturbed_grads),
                perturbed: piece(&self.perturbed),
                memory: pieces(&self.memory),
                inputs: pieces(&self.inputs),
                state: pieces(&self.state),
            }
        };
        (0..self.params.len()).step_by(len).map(cut).collect()
    }
}

/// `value` of a multiple of 2^-24 in [0, 1) for each element: the words of a stream of its own, a block of them at a
/// time.
fn plane(range: &Range<u64>, stream: u64, value: impl Fn(f32) -> f32) -> Vec<f32> {
    let mut words = ChaCha8Rng::from_seed([0; 32]);
    words.set_stream(stream);
    words.set_word_pos(range.start.into());
    let unit = |word: u32| (word >> 8) as f32 / (1_u32 << 24) as f32;
    let mut plane = vec![0.0; (range.end - range.start) as usize];
    let mut bytes = [0; 4 * BLOCK];
    for block in plane.chunks_mut(BLOCK) {
        let bytes = &mut bytes[..4 * block.len()];
        words.fill_bytes(bytes);
        for (to, word) in block.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *to = value(unit(u32::from_le_bytes(*word)));
        }
    }
    plane
}

/// A thread's share of a model: pieces cut at chunk boundaries, so that the norm keeps its bits.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::bench) struct Share {
    /// The number of its first chunk.
    pub first_chunk: u64,
    /// Its elements, numbered through over all tensors; a piece never spans two tensors.
    pub pieces: Vec<Range<u64>>,
}

/// Share `index` of `of` nearly equal ones.
pub(in crate::bench) fn share(shape: &Shape, index: usize, of: usize) -> Share {
    let total: usize = shape.tensors.iter().map(|len| len.div_ceil(CHUNK)).sum();
    let (low, high) = (total * index / of, total * (index + 1) / of);
    let (mut chunk, mut element, mut pieces) = (0, 0, Vec::new());
    for &len in &shape.tensors {
        let chunks = len.div_ceil(CHUNK);
        let from = low.clamp(chunk, chunk + chunks) - chunk;
        let to = high.clamp(chunk, chunk + chunks) - chunk;
        let (start, end) = ((from * CHUNK).min(len), (to * CHUNK).min(len));
        if start < end {
            pieces.push((element + start) as u64..(element + end) as u64);
        }
        chunk += chunks;
        element += len;
    }
    Share { first_chunk: low as u64, pieces }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_cut_at_chunks_and_cover_everything_once() {
        let shape = Shape { name: "mixed".into(), tensors: vec![5000, 1, 2048, 6000] };
        // 3 + 1 + 1 + 3 chunks.
        let whole = share(&shape, 0, 1);
        assert_eq!(whole.pieces, [0..5000, 5000..5001, 5001..7049, 7049..13049]);
        for of in 2..=9 {
            let shares: Vec<Share> = (0..of).map(|index| share(&shape, index, of)).collect();
            let mut next = 0;
            for piece in shares.iter().flat_map(|share| &share.pieces) {
                assert_eq!(piece.start, next, "{of} shares");
                next = piece.end;
            }
            assert_eq!(next, 13_049);
        }
        let second = share(&shape, 1, 2);
        assert_eq!((second.first_chunk, second.pieces[0].clone()), (4, 5001..7049));
    }

    #[test]
    fn a_plane_holds_the_words_of_its_stream_one_after_the_other() {
        let plane = plane(&(13..5000), 3, |u| u);
        let mut words = ChaCha8Rng::from_seed([0; 32]);
        words.set_stream(3);
        words.set_word_pos(13);
        let expected = (0..4987).map(|_| (words.next_u32() >> 8) as f32 * 2.0_f32.powi(-24));
        assert!(plane.into_iter().eq(expected));
    }

    #[test]
    fn numbers_depend_on_their_place_and_gradients_on_opposite_sides() {
        let (whole, part) =
            (Tensor::new(&(0..3000), [1, 1, 0]), Tensor::new(&(2047..3000), [1, 1, 0]));
        assert_eq!(whole.params[2047..], part.params[..]);
        assert_eq!(whole.inputs[0][2047..], part.inputs[0][..]);
        let pairs = || whole.grads.iter().zip(&whole.perturbed_grads);
        assert!(pairs().all(|(a, b)| a * b < 0.0 && (a - b).abs() >= 0.5));
        let mean = whole.params.iter().sum::<f32>() / 3000.0;
        assert!(mean.abs() < 0.05, "{mean}");
        let pieces = part.cut(7);
        assert_eq!((pieces.len(), pieces[136].params.len()), (137, 1));
        assert_eq!(pieces[136].grads[..], part.grads[952..]);
    }
}
