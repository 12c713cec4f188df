//! [`Pieces`]: the gradient of a batch from those of its parts.
//!
//! ```text
//! mean = sum_p (n_p / n) gradient_p        n_p of the n examples are in part p; adjacent pairs first, as a norm's chunks
//! ```
//!
//! The order is fixed, so that parts in one process and parts in several come to the same bits.

use std::ops::Range;

use super::ranks::{Ranks, bytes_of, values_of};

/// Weighted losses and gradients of the parts so far.
#[derive(Default)]
pub(super) struct Pieces {
    parts: Vec<(f32, Vec<f32>)>,
}

impl Pieces {
    /// Takes the loss and gradient of the next part, which has `weight` of the examples.
    pub fn push(&mut self, weight: f32, loss: f32, grads: &[f32]) {
        self.parts.push((weight * loss, grads.iter().map(|grad| weight * grad).collect()));
    }

    /// Those that all ranks have, in rank order. A batch of fewer examples than ranks leaves the last ones without.
    #[must_use]
    pub fn of_all(self, ranks: Ranks<'_>) -> Self {
        let own = || {
            let bytes = |(loss, grads): &(f32, Vec<f32>)| [bytes_of(&[*loss]), bytes_of(grads)];
            self.parts.iter().flat_map(bytes).flatten().collect()
        };
        let Some(found) = ranks.gather(own) else { return self };
        let part = |bytes: &Vec<u8>| {
            let mut values = values_of(bytes).into_iter();
            Some((values.next()?, values.collect()))
        };
        Self { parts: found.iter().filter_map(part).collect() }
    }

    /// The batch's loss, its gradient into `grads`.
    pub fn sum_into(mut self, grads: &mut [f32]) -> f32 {
        let mut width = 1;
        while width < self.parts.len() {
            for pair in self.parts.chunks_mut(2 * width) {
                let (left, right) = pair.split_at_mut(width.min(pair.len()));
                if let (Some((loss, sum)), Some((more, grads))) = (left.first_mut(), right.first())
                {
                    *loss += more;
                    sum.iter_mut().zip(grads).for_each(|(sum, grad)| *sum += grad);
                }
            }
            width *= 2;
        }
        let Some((loss, sum)) = self.parts.into_iter().next() else { return 0.0 };
        grads.copy_from_slice(&sum);
        loss
    }
}

/// `all` in as many parts, of lengths that differ by one at most; none is empty.
pub(super) fn cut(all: Range<usize>, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = parts.min(all.len()).max(1);
    let at = move |part: usize| all.start + part * all.len() / parts;
    (0..parts).map(move |part| at(part)..at(part + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_all_in_order_and_none_is_empty() {
        let cuts: Vec<_> = cut(2..9, 3).collect();
        assert_eq!(cuts, [2..4, 4..6, 6..9]);
        assert_eq!(cut(0..2, 5).collect::<Vec<_>>(), [0..1, 1..2]);
    }

    #[test]
    fn the_sum_is_a_tree_over_adjacent_pairs() {
        let large = 16_777_216.0;
        let mut pieces = Pieces::default();
        for (loss, grad) in [(1.0, large), (2.0, 1.0), (3.0, 1.0), (4.0, -large), (5.0, 1.0)] {
            pieces.push(1.0, loss, &[grad, 0.5]);
        }
        let mut grads = [9.0; 2];
        assert_eq!(pieces.sum_into(&mut grads), 15.0);
        // (large + 1) + (1 - large) + 1, where large + 1 is large and 1 - large is exact
        assert_eq!(grads, [2.0, 2.5]);
    }
}
