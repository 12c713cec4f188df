//! Whether a run did what it is for: how far its second gradient was from the first, and whether it learned.
//!
//! ```text
//! change     ||g~ - g|| / ||g||      sums in f64, in the order of the parameters: the same on every device
//! chance     share of the most frequent class in the test set
//! at chance  accuracy <= chance + 3 sqrt(chance (1 - chance) / examples), and below 1
//! ```

use crate::report::{Ending, Epoch};
use crate::stats::mean;

/// How far the second gradient of a step is from the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    /// In units of the first; `None` where that is not finite.
    pub distance: Option<f64>,
    /// Whether both are equal in every bit.
    pub is_none: bool,
}

impl Change {
    /// That of two gradients of the same model.
    pub fn of(grads: &[f32], perturbed_grads: &[f32]) -> Self {
        let (mut squares, mut own) = (0.0, 0.0);
        let mut is_none = true;
        for (&grad, &perturbed) in grads.iter().zip(perturbed_grads) {
            is_none &= grad.to_bits() == perturbed.to_bits();
            let (grad, perturbed) = (f64::from(grad), f64::from(perturbed));
            squares += (perturbed - grad) * (perturbed - grad);
            own += grad * grad;
        }
        let distance = Some((squares / own).sqrt()).filter(|distance: &f64| distance.is_finite());
        Self { distance, is_none }
    }
}

/// Mean change and share of equal gradients, over the epochs that looked at them.
pub(super) fn changes(history: &[Epoch]) -> (Option<f64>, Option<f64>) {
    let distances = history.iter().filter_map(|epoch| epoch.gradient_change);
    let equal = history.iter().filter_map(|epoch| epoch.equal_gradients);
    let equal = equal.map(|equal| f64::from(u8::from(equal)));
    (mean(&distances.collect::<Vec<_>>()), mean(&equal.collect::<Vec<_>>()))
}

/// The share of the most frequent of `labels`.
pub(super) fn chance(labels: &[u8]) -> f64 {
    let mut counts = [0_usize; 256];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    counts.into_iter().max().unwrap_or(0) as f64 / labels.len().max(1) as f64
}

/// Whether an accuracy over so many examples may be one of a model that has learned nothing.
pub(super) fn learned(accuracy: f64, chance: f64, examples: usize) -> Ending {
    let error = (chance * (1.0 - chance) / examples.max(1) as f64).sqrt();
    let is_at_chance = accuracy < 1.0 && accuracy <= chance + 3.0 * error;
    if is_at_chance { Ending::AtChance } else { Ending::Learned }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_units_of_the_first_gradient() {
        let change = Change::of(&[3.0, 4.0], &[3.0, 9.0]);
        assert_eq!(change, Change { distance: Some(1.0), is_none: false });
        assert_eq!(Change::of(&[3.0], &[3.0]), Change { distance: Some(0.0), is_none: true });
        // Equal numbers, other bits; and a gradient that says nothing of units.
        assert!(!Change::of(&[0.0, 1.0], &[-0.0, 1.0]).is_none);
        assert_eq!(Change::of(&[0.0], &[1.0]), Change { distance: None, is_none: false });
        assert_eq!(Change::of(&[f32::NAN], &[1.0]).distance, None);
    }

    #[test]
    fn chance_is_the_most_frequent_class_and_its_luck() {
        assert_eq!(chance(&[1, 1, 1, 0]), 0.75);
        assert_eq!(chance(&[]), 0.0);
        // Ten classes, 797 examples: three standard errors are 3.2 points.
        let endings = [(0.13, 0.1, 797), (0.135, 0.1, 797), (0.9, 0.9, 10), (1.0, 0.9, 10)]
            .map(|(accuracy, chance, examples)| learned(accuracy, chance, examples));
        let (bad, good) = (Ending::AtChance, Ending::Learned);
        assert_eq!(endings, [bad, good, bad, good]);
    }

    #[test]
    fn epochs_that_did_not_look_do_not_count() {
        let epoch = |gradient_change, equal_gradients| Epoch {
            epoch: 1,
            learning_rate: 0.1,
            train_loss: 1.0,
            test_accuracy: 0.5,
            gradient_change,
            equal_gradients,
        };
        let history = [
            epoch(Some(0.5), Some(false)),
            epoch(None, None),
            epoch(Some(0.0), Some(true)),
            epoch(None, Some(false)),
        ];
        assert_eq!(changes(&history), (Some(0.25), Some(1.0 / 3.0)));
        assert_eq!(changes(&[]), (None, None));
    }
}
