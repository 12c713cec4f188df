//! From the bytes of two files to what a network takes: inputs of one size, classes without gaps.
//!
//! ```text
//! input   (pixel - mean) / deviation     mean and deviation of every pixel of the training set, one number each
//! class   0 for the smallest label that occurs, 1 for the next, ...
//! ```
//!
//! A learning rate that is right for inputs around 0 of size 1 is right for many data sets. One mean for all
//! pixels, since a pixel that is nearly always the same would be blown up by its own deviation. Classes without
//! gaps, since EMNIST's letters are numbered 1 to 26: a class of which there is no example is nobody's label.

use std::path::Path;

use super::{DataError, Dataset, Loaded};

/// Both parts with their inputs standardised by the training part, and classes in place of labels.
///
/// # Errors
/// Labels that are all the same; `folder` is named.
pub(super) fn prepare(
    folder: &Path,
    mut train: Dataset,
    mut test: Dataset,
) -> Result<Loaded, DataError> {
    let labels = occurring(&[&train.labels, &test.labels]);
    if let [only] = labels[..] {
        return Err(DataError::new(folder, "labels of two classes", format!("{only} alone")));
    }
    let (mean, deviation) = moments(&train.inputs);
    for data in [&mut train, &mut test] {
        data.classes = labels.len();
        for label in &mut data.labels {
            let class = labels.binary_search(label).unwrap_or_default();
            *label = u8::try_from(class).unwrap_or_default();
        }
        for input in &mut data.inputs {
            *input = ((f64::from(*input) - mean) / deviation) as f32;
        }
    }
    Ok(Loaded { train, test: Some(test), labels, mean, deviation })
}

/// Every label that occurs, once and in order.
fn occurring(parts: &[&[u8]]) -> Vec<u8> {
    let mut occurs = [false; 256];
    for &label in parts.iter().copied().flatten() {
        occurs[usize::from(label)] = true;
    }
    (0..=u8::MAX).filter(|&label| occurs[usize::from(label)]).collect()
}

/// Mean and standard deviation; the deviation of inputs that are all the same is taken as 1.
fn moments(inputs: &[f32]) -> (f64, f64) {
    let count = inputs.len().max(1) as f64;
    let mean = inputs.iter().copied().map(f64::from).sum::<f64>() / count;
    let square = |&input: &f32| (f64::from(input) - mean).powi(2);
    let deviation = (inputs.iter().map(square).sum::<f64>() / count).sqrt();
    (mean, if deviation > 0.0 { deviation } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(inputs: &[f32], labels: &[u8]) -> Dataset {
        Dataset {
            inputs: inputs.to_vec(),
            labels: labels.to_vec(),
            features: inputs.len() / labels.len(),
            classes: 256,
            name: "made".into(),
        }
    }

    #[test]
    fn inputs_are_measured_by_the_training_part_and_classes_have_no_gaps() {
        let (train, test) = (data(&[0.0, 1.0, 0.0, 1.0], &[26, 1]), data(&[0.5, 2.0], &[7]));
        let loaded = prepare(Path::new("f"), train, test).unwrap();
        let test = loaded.test.unwrap();
        assert_eq!((loaded.mean, loaded.deviation), (0.5, 0.5));
        assert_eq!(
            (loaded.train.inputs, test.inputs),
            (vec![-1.0, 1.0, -1.0, 1.0], vec![0.0, 3.0])
        );
        assert_eq!((loaded.train.labels, test.labels), (vec![2, 0], vec![1]));
        assert_eq!((loaded.train.classes, test.classes, loaded.labels), (3, 3, vec![1, 7, 26]));
    }

    #[test]
    fn grey_pictures_stay_finite_and_one_class_is_refused() {
        let loaded = prepare(Path::new("f"), data(&[0.7; 4], &[0, 255]), data(&[0.7], &[0]));
        let loaded = loaded.unwrap();
        assert_eq!((loaded.train.inputs.as_slice(), loaded.deviation), (&[0.0; 4][..], 1.0));
        let same = prepare(Path::new("f"), data(&[0.1, 0.2], &[4, 4]), data(&[0.1], &[4]));
        assert_eq!(
            same.unwrap_err().to_string(),
            "f: expected labels of two classes, found 4 alone"
        );
    }
}
