//! [`Tensor`]: the planes of a piece of a tensor; [`share`]: which pieces are a thread's.

use std::ops::Range;

use presam::CHUNK;

use crate::bench::Shape;

/// A piece of a tensor with every plane of a step.
pub(in crate::bench) struct Tensor {
    pub params: Vec<f32>,
    pub grads: Vec<f32>,
    pub perturbed_grads: Vec<f32>,
    /// The perturbed point, and the backup of an ascent in place.
    pub perturbed: Vec<f32>,
    pub momentum: Vec<f32>,
    /// AdamW's second plane of state; empty until AdamW descends.
    pub second: Vec<f32>,
    pub memory: Vec<Vec<f32>>,
    pub inputs: Vec<Vec<f32>>,
}

impl Tensor {
    /// Elements `range` of the model, with so many planes of memory and inputs: parameters in [-1, 1), two gradients of opposite sign, masks of 0 and
    /// 1 or diagonals in [0.5, 1.5), zeros elsewhere. A number depends on its place alone, not on the shares.
    ///
    /// The gradients differ by 0.5 at least and [`take_turns`](Self::take_turns): with one that repeats,
    /// every slope that subtracts an average would die, and the work with it.
    pub fn new(range: Range<u64>, [memory, inputs]: [usize; 2], masks: bool) -> Self {
        let len = (range.end - range.start) as usize;
        let plane = |plane: u64, value: fn(f32) -> f32| -> Vec<f32> {
            range.clone().map(|index| value(unit(plane, index))).collect()
        };
        let grads = plane(1, |u| if u < 0.5 { u - 0.75 } else { u - 0.25 });
        let sizes = plane(2, |u| 0.25 + 0.5 * u);
        let opposite = grads.iter().zip(sizes).map(|(grad, size)| -size.copysign(*grad)).collect();
        let input: fn(f32) -> f32 = if masks { |u| (2.0 * u).floor() } else { |u| 0.5 + u };
        Self {
            params: plane(0, |u| 2.0 * u - 1.0),
            grads,
            perturbed_grads: opposite,
            perturbed: vec![0.0; len],
            momentum: vec![0.0; len],
            second: Vec::new(),
            memory: vec![vec![0.0; len]; memory],
            inputs: (0..inputs).map(|index| plane(3 + index as u64, input)).collect(),
        }
    }

    /// The two gradients change places for the next run: no bytes are moved.
    pub fn take_turns(&mut self) {
        std::mem::swap(&mut self.grads, &mut self.perturbed_grads);
    }
}

/// A multiple of 2^-24 in [0, 1), by splitmix64's mixing of plane and place.
fn unit(plane: u64, index: u64) -> f32 {
    let place = (plane << 40).wrapping_add(index).wrapping_add(1);
    let seed = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u64 << 24) as f32
}

/// A thread's share of a model: pieces cut at chunk boundaries, so that the norm keeps its bits.
#[derive(Debug, PartialEq, Eq)]
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
    fn numbers_depend_on_their_place_and_gradients_on_opposite_sides() {
        let (whole, part) =
            (Tensor::new(0..3000, [1, 1], true), Tensor::new(2048..3000, [1, 1], true));
        assert_eq!(whole.params[2048..], part.params[..]);
        let pairs = || whole.grads.iter().zip(&whole.perturbed_grads);
        assert!(pairs().all(|(a, b)| a * b < 0.0 && (a - b).abs() >= 0.5));
        assert!(whole.inputs[0].iter().all(|m| *m == 0.0 || *m == 1.0));
        let mean = whole.params.iter().sum::<f32>() / 3000.0;
        assert!(mean.abs() < 0.05, "{mean}");
    }
}
