//! Any bytes as a CIFAR-10 batch, or as the table of digits: whole and consistent, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presam_fuzz::memory::{Measuring, peak};
use presam_program::data::{
    CIFAR10_CLASSES, CIFAR10_FEATURES, Dataset, parse_cifar10, parse_digits,
};
use std::path::Path;

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// For the line of an error, and a list of labels that grows by doubling.
const SLACK: usize = 1024;

fn check(data: &Dataset) {
    assert!(!data.is_empty());
    assert_eq!(data.inputs.len(), data.len() * data.features);
    assert!(data.labels.iter().all(|&label| usize::from(label) < data.classes));
    assert!(data.inputs.iter().all(|input| (0.0..=1.0).contains(input)));
}

fuzz_target!(|bytes: &[u8]| {
    let (batch, held) = peak(|| parse_cifar10(Path::new("f"), bytes));
    assert!(held <= 5 * bytes.len() + SLACK, "{held} bytes for {}", bytes.len());
    let records = bytes.chunks(1 + CIFAR10_FEATURES);
    let is_whole = !bytes.is_empty()
        && records.clone().all(|record| {
            record.len() == 1 + CIFAR10_FEATURES && usize::from(record[0]) < CIFAR10_CLASSES
        });
    assert_eq!(batch.is_ok(), is_whole, "{batch:?}");
    if let Ok(data) = batch {
        check(&data);
        for (i, record) in records.enumerate() {
            let pixels = record[1..].iter().map(|&pixel| f32::from(pixel) / 255.0);
            assert_eq!(data.labels[i], record[0]);
            assert!(data.row(i).is_some_and(|row| row.iter().copied().eq(pixels)));
        }
    }

    // A digit and its comma become a number of four bytes in a list that doubles; a field that is none is told in
    // the error, where a control character takes six.
    let (digits, held) = peak(|| parse_digits("f", bytes));
    assert!(held <= 32 * bytes.len() + SLACK, "{held} bytes for {}", bytes.len());
    if let Ok(data) = digits {
        check(&data);
        assert_eq!(data.features, 64);
        assert_eq!(data.len(), String::from_utf8_lossy(bytes).lines().count());
    }
});
