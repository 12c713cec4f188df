//! [`Split`]: which images a run trains on, which labels it is told, and which images judge it.

use presam_model::init::{Streams, redraw_labels, shuffle, streams};

use crate::config::{Config, ConfigError};
use crate::data::{Dataset, Loaded};

/// The data of one seed.
pub(super) struct Split {
    /// Training inputs with their TRUE labels.
    pub train: Dataset,
    /// The labels that training is told: a share of them redrawn.
    pub given: Vec<u8>,
    /// Share of them that are wrong.
    pub wrong: f64,
    /// What the run is judged by: clean labels.
    pub test: Dataset,
    /// The streams of the seed, after the split has drawn from them.
    pub streams: Streams,
}

/// What a run is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judge {
    /// The test set.
    Test,
    /// The last 30 % of the training images, which the run then does not train on: for tuning.
    Validation,
}

impl Split {
    /// The split of `seed`: the training images are the first of a seeded shuffle, and where the
    /// source has no test set, the rest is the test set.
    pub fn new(
        config: &Config,
        loaded: &Loaded,
        label_noise: f64,
        seed: u64,
        judge: Judge,
    ) -> Result<Self, ConfigError> {
        let available = loaded.train.len();
        let size = config.training_size(available, loaded.test.is_some())?;
        let mut streams = streams(seed);
        let mut order: Vec<usize> = (0..available).collect();
        shuffle(&mut order, &mut streams.shuffle);
        let (first, rest) = order.split_at(size.min(available));
        let (train, test) = match (judge, &loaded.test) {
            (Judge::Validation, _) => {
                let kept = size - size * 3 / 10;
                let (kept, held_out) = first.split_at(kept);
                (loaded.train.select(kept), loaded.train.select(held_out))
            }
            (Judge::Test, Some(test)) => (loaded.train.select(first), test.clone()),
            (Judge::Test, None) => (loaded.train.select(first), loaded.train.select(rest)),
        };
        let mut given = train.labels.clone();
        let wrong = redraw_labels(&mut given, train.classes, label_noise, &mut streams.label_noise)
            .map_err(|error| {
                ConfigError::new("--label-noise", "labels that can be redrawn", error)
            })?;
        let wrong = wrong as f64 / train.len().max(1) as f64;
        Ok(Self { train, given, wrong, test, streams })
    }
}
