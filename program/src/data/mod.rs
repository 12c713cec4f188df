//! Labelled images as rows of scaled f32.
//!
//! Three sources: the digits embedded in the crate, MNIST-style IDX files and CIFAR-10's binary batches.
//! Every parser is a function over bytes that never panics and allocates no more than the bytes it was
//! given justify, so that a header that lies costs an error and nothing else. docs/data.md says which folders are
//! read and what is done to inputs and labels.

mod cifar10;
mod digits;
mod error;
mod folder;
mod idx;
mod prepare;
mod read;
mod source;

pub use cifar10::{CIFAR10_CLASSES, CIFAR10_FEATURES, parse_cifar10};
pub use digits::{digits, parse_digits};
pub use error::DataError;
pub use idx::{parse_idx_images, parse_idx_labels};
pub use source::Source;

/// What a source holds: `test` is `None` where the source has no division of its own (the digits).
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The training part, or everything.
    pub train: Dataset,
    /// The test part, if the source names one.
    pub test: Option<Dataset>,
    /// The label in the files that stands for each class, in order.
    pub labels: Vec<u8>,
    /// What was taken from every input of 0 to 1; 0 for the digits.
    pub mean: f64,
    /// What every input was then divided by; 1 for the digits.
    pub deviation: f64,
}

/// Labelled examples: row `i` of `inputs` (of `features` numbers) belongs to class `labels[i]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Row-major inputs: a pixel over the largest value its format allows, standardised by [`Source::load`].
    pub inputs: Vec<f32>,
    /// One class a row, each below `classes`.
    pub labels: Vec<u8>,
    /// Numbers in a row.
    pub features: usize,
    /// Number of classes.
    pub classes: usize,
    /// What reports call it, for example `digits`.
    pub name: String,
}

impl Dataset {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no example at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The inputs of example `index`, or `None` beyond the last one.
    pub fn row(&self, index: usize) -> Option<&[f32]> {
        let start = index.checked_mul(self.features)?;
        self.inputs.get(start..start.checked_add(self.features)?)
    }

    /// The examples at `indices`, in that order; an index beyond the last example is left out.
    pub fn select(&self, indices: &[usize]) -> Dataset {
        let mut chosen = Dataset {
            inputs: Vec::with_capacity(indices.len() * self.features),
            labels: Vec::with_capacity(indices.len()),
            features: self.features,
            classes: self.classes,
            name: self.name.clone(),
        };
        for &index in indices {
            if let (Some(row), Some(&label)) = (self.row(index), self.labels.get(index)) {
                chosen.inputs.extend_from_slice(row);
                chosen.labels.push(label);
            }
        }
        chosen
    }
}

/// Bytes 0..=255 as numbers 0..=1.
fn scale_bytes(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.iter().map(|&byte| f32::from(byte) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn select_keeps_rows_with_their_labels_and_leaves_out_what_is_not_there() {
        let all = Dataset {
            inputs: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            labels: vec![7, 8, 9],
            features: 2,
            classes: 10,
            name: "three".into(),
        };
        let some = all.select(&[2, 0, 3]);
        assert_eq!(some.inputs, [4.0, 5.0, 0.0, 1.0]);
        assert_eq!(some.labels, [9, 7]);
        assert_eq!((some.len(), all.row(3)), (2, None));
    }

    /// Every prefix of a good file, and every file with one byte changed, is refused or consistent: no panic.
    #[test]
    fn damaged_files_are_refused_or_consistent() {
        let file = std::path::Path::new("f");
        let check = |bytes: &[u8]| {
            let images = parse_idx_images(file, bytes).ok();
            let labels = parse_idx_labels(file, bytes).ok();
            let cifar = parse_cifar10(file, bytes).ok();
            let digits = parse_digits("f", bytes).ok();
            for data in cifar.iter().chain(&digits) {
                assert_eq!(data.inputs.len(), data.labels.len() * data.features);
                assert!(data.labels.iter().all(|&label| usize::from(label) < data.classes));
            }
            assert!(
                images
                    .iter()
                    .all(|(inputs, features)| inputs.len() == bytes.len() - 16 && *features > 0)
            );
            assert!(labels.iter().all(|labels| labels.len() == bytes.len() - 8));
            usize::from(images.is_some() || labels.is_some() || cifar.is_some() || digits.is_some())
        };
        let idx = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2][..], &[7; 8]].concat();
        let labels = [&[0, 0, 8, 1, 0, 0, 0, 4][..], &[1, 2, 3, 4]].concat();
        let row = format!("{}3\n", "16,".repeat(64)).into_bytes();
        for good in [idx, labels, row, vec![1; 1 + CIFAR10_FEATURES]] {
            assert_eq!(check(&good), 1);
            assert_eq!(check(&[&good[..], &[0]].concat()), 0, "a byte too many");
            let mut accepted = 0;
            for cut in 0..good.len() {
                accepted += check(&good[..cut]);
            }
            // Only the row of text may lose an end (its line feed) and stay whole.
            assert!(accepted <= 1, "{accepted} prefixes of {} bytes accepted", good.len());
            for (index, value) in
                (0..good.len().min(400)).flat_map(|i| [0, 0x7f, 0xff].map(|v| (i, v)))
            {
                let mut bad = good.clone();
                bad[index] = value;
                check(&bad);
            }
        }
    }
}
