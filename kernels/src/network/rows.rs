//! Kernels with a thread for each row or column: softmax cross-entropy, bias gradients, counting,
//! gathering a batch, and what a step leaves in the log.

use core::mem::offset_of;

use presam::{Part, ScaledNorm};
use presam_model::element::{cross_entropy_slope, largest};

use crate::layout::Control;
use crate::reads::quad;
use crate::team::{THREADS, Team};

/// The index of a thread in the grid, if below `count`.
#[inline(always)]
fn index(team: &impl Team, thread: u32, count: u64) -> Option<u64> {
    let index = u64::from(team.block()) * u64::from(THREADS) + u64::from(thread);
    (index < count).then_some(index)
}

/// `db[j] = Σ_b dz[b][j]`, b increasing from +0.0: a thread for each j.
#[inline(always)]
pub fn bias_gradient<W: Team>(team: &W, [batch, columns, slope, out]: [u64; 4]) {
    team.each(|thread| {
        let Some(j) = index(team, thread, columns) else { return };
        let load = |row: u64| f32::from_bits(team.word(slope + 4 * (row * columns + j)));
        let mut sum = 0.0;
        let mut row = 0;
        // Eight rows are in flight together, and added one after the other.
        while row + 8 <= batch {
            let [a, b, c, d] = quad(|i| load(row + i as u64));
            let [e, f, g, h] = quad(|i| load(row + 4 + i as u64));
            sum = sum + a + b + c + d + e + f + g + h;
            row += 8;
        }
        while row < batch {
            sum += load(row);
            row += 1;
        }
        team.set_word(out + 4 * j, sum.to_bits());
    });
}

/// Cross-entropy of each row into `losses`; the logits become its slope in the mean over the batch.
#[inline(always)]
pub fn cross_entropy<W: Team>(team: &W, [batch, classes, logits, labels, losses]: [u64; 5]) {
    team.each(|thread| {
        let Some(row) = index(team, thread, batch) else { return };
        let label = team.word(labels + 4 * row) as usize;
        let loss = team.row(logits + 4 * row * classes, classes as u32, |logits| {
            cross_entropy_slope(logits, label, batch as f32)
        });
        team.set_word(losses + 4 * row, loss.to_bits());
    });
}

/// Adds to the word at `count` the rows whose largest logit is their label's.
#[inline(always)]
pub fn correct_count<W: Team>(team: &W, [batch, classes, logits, labels, count]: [u64; 5]) {
    team.each(|thread| {
        let Some(row) = index(team, thread, batch) else { return };
        let label = team.word(labels + 4 * row) as usize;
        let right = team
            .row(logits + 4 * row * classes, classes as u32, |logits| largest(logits).0 == label);
        if right {
            team.add(count, 1);
        }
    });
}

/// Copies the examples that `order` names to the batch: a block for each.
#[inline(always)]
pub fn gather<W: Team>(team: &W, [features, data, labels, order, inputs, batch_labels]: [u64; 6]) {
    team.each(|thread| {
        let row = u64::from(team.block());
        let example = u64::from(team.word(order + 4 * row));
        let mut feature = u64::from(thread);
        while feature < features {
            let word = team.word(data + 4 * (example * features + feature));
            team.set_word(inputs + 4 * (row * features + feature), word);
            feature += u64::from(THREADS);
        }
        if thread == 0 {
            team.set_word(batch_labels + 4 * row, team.word(labels + 4 * example));
        }
    });
}

/// The mean of the losses of a batch, b increasing from +0.0, into `out`.
#[inline(always)]
pub fn mean_loss<W: Team>(team: &W, [batch, losses, out]: [u64; 3]) {
    team.each(|thread| {
        if thread != 0 || team.block() != 0 {
            return;
        }
        let mut sum = 0.0;
        let mut row = 0;
        while row < batch {
            sum += f32::from_bits(team.word(losses + 4 * row));
            row += 1;
        }
        let mean: f32 = sum / batch as f32;
        team.set_word(out, mean.to_bits());
    });
}

/// What a step did, three words into `out`: the length of the perturbation (0 without the sums at
/// `distance`), the outcome of the ascent, and whether the base optimizer stepped.
#[inline(always)]
pub fn report<W: Team>(team: &W, [control, distance, out]: [u64; 3]) {
    team.each(|thread| {
        if thread != 0 || team.block() != 0 {
            return;
        }
        let moved = if distance == 0 {
            0.0
        } else {
            ScaledNorm::of(team.load::<Part<f32>>(distance)).value()
        };
        let of = |offset: usize| team.word(control + offset as u64);
        let (outcome, descends) =
            (of(offset_of!(Control, outcome)), of(offset_of!(Control, descends)));
        team.store(out, [moved.to_bits(), outcome, descends]);
    });
}
