//! [`Triad`]: what the memory of this machine can do, measured beside the step.

use super::SPLIT_FROM;
use rayon::prelude::*;
use std::hint::black_box;

/// Bytes counted an element: two read, one written, in `f64`. The line that a store fetches first is
/// not counted, as STREAM counts it.
pub const TRIAD_BYTES: f64 = 24.0;

/// a = b + 3 c over `f64`, plain loops, split evenly over the threads.
pub struct Triad {
    planes: [Vec<f64>; 3],
    piece: usize,
}

impl Triad {
    pub fn new(len: usize, threads: usize) -> Self {
        let piece = if len < SPLIT_FROM { len } else { len.div_ceil(threads) };
        Self { planes: [vec![0.0; len], vec![1.0; len], vec![2.0; len]], piece }
    }

    pub fn run(&mut self) {
        let [a, b, c] = &mut self.planes;
        if self.piece == a.len() {
            triad(a, b, c);
        } else {
            let pieces = (a.par_chunks_mut(self.piece), b.par_chunks(self.piece));
            pieces
                .into_par_iter()
                .zip(c.par_chunks(self.piece))
                .for_each(|((a, b), c)| triad(a, b, c));
        }
        black_box(&mut self.planes);
    }

    /// Whether the last run wrote every element.
    pub fn is_right(&self) -> bool {
        self.planes[0].iter().all(|a| *a == 7.0)
    }
}

fn triad(a: &mut [f64], b: &[f64], c: &[f64]) {
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        *a = b + 3.0 * c;
    }
}
