//! IDX and CIFAR-10 folders: good ones train, and every way to damage one is a line that names the file.

mod common;

use std::path::Path;

use common::{presam, refused, skipped};

const SHORT: [&str; 10] =
    ["--epochs", "1", "--seeds", "1", "--hidden", "4", "--batch", "8", "--methods", "sgd,sam"];

/// A repeatable byte.
fn byte(index: usize) -> u8 {
    (index.wrapping_mul(2_654_435_761) >> 13) as u8
}

fn cifar10(folder: &Path, training: usize, test: usize) {
    let records = |count: usize| -> Vec<u8> {
        let record = |i: usize| {
            let pixels = (0..3072).map(move |j| byte(i * 3072 + j));
            std::iter::once((i % 10) as u8).chain(pixels)
        };
        (0..count).flat_map(record).collect()
    };
    std::fs::write(folder.join("data_batch_1.bin"), records(training / 2))
        .expect("the test may write here");
    std::fs::write(folder.join("data_batch_2.bin"), records(training - training / 2))
        .expect("the test may write here");
    std::fs::write(folder.join("test_batch.bin"), records(test)).expect("the test may write here");
}

fn idx(folder: &Path, training: usize, test: usize) {
    for (name, count) in [("train", training), ("t10k", test)] {
        let size = (count as u32).to_be_bytes();
        let images: Vec<u8> = [&[0, 0, 8, 3][..], &size, &[0, 0, 0, 4, 0, 0, 0, 5]].concat();
        let pixels: Vec<u8> = (0..20 * count).map(byte).collect();
        std::fs::write(folder.join(format!("{name}-images-idx3-ubyte")), [images, pixels].concat())
            .expect("the test may write here");
        let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
        let bytes = [&[0, 0, 8, 1][..], &size, &labels].concat();
        std::fs::write(folder.join(format!("{name}-labels-idx1-ubyte")), bytes)
            .expect("the test may write here");
    }
}

/// Trains on `data` and returns the record of the data.
fn trained(data: &str, folder: &Path) -> serde_json::Value {
    let out = folder.join("out");
    let rest = ["--data", data, "--json", "--out", out.to_str().expect("a plain path")];
    let output = presam(&[&SHORT[..], &rest].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(results["runs"].as_array().map(Vec::len), Some(2));
    results["data"].clone()
}

#[test]
fn small_folders_train() {
    let place = tempfile::tempdir().unwrap();
    cifar10(place.path(), 31, 9);
    let data = trained(&format!("cifar10:{}", place.path().display()), place.path());
    let sizes = |data: &serde_json::Value| {
        ["train_samples", "test_samples", "features"].map(|key| data[key].as_u64().unwrap())
    };
    assert_eq!(sizes(&data), [31, 9, 3072]);
    let place = tempfile::tempdir().unwrap();
    idx(place.path(), 40, 10);
    let data = trained(&format!("idx:{}", place.path().display()), place.path());
    assert_eq!(sizes(&data), [40, 10, 20]);
}

/// Changes one file of a good folder and expects a refusal that names it.
fn damaged(kind: &str, file: &str, damage: impl Fn(Vec<u8>) -> Option<Vec<u8>>, expected: &str) {
    let place = tempfile::tempdir().expect("the test may write here");
    if kind == "idx" {
        idx(place.path(), 40, 10)
    } else {
        cifar10(place.path(), 31, 9)
    }
    let path = place.path().join(file);
    match damage(std::fs::read(&path).expect("the test may write here")) {
        Some(bytes) => std::fs::write(&path, bytes).expect("the test may write here"),
        None => std::fs::remove_file(&path).expect("the test may write here"),
    }
    let data = format!("{kind}:{}", place.path().display());
    let out = place.path().join("out");
    let rest = ["--data", &data, "--out", out.to_str().expect("a plain path")];
    let message = refused(&[&SHORT[..], &rest].concat());
    assert!(message.contains(file) && message.contains("expected"), "{message}");
    assert!(message.contains(expected), "{message} instead of {expected}");
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn damaged_folders_are_one_line_that_names_the_file() {
    let shorter = |mut bytes: Vec<u8>| {
        bytes.pop();
        Some(bytes)
    };
    let changed = |at: usize, value: u8| {
        move |mut bytes: Vec<u8>| {
            bytes[at] = value;
            Some(bytes)
        }
    };
    damaged("cifar10", "test_batch.bin", |_| None, "no such file");
    damaged("cifar10", "data_batch_2.bin", shorter, "found");
    damaged("cifar10", "data_batch_1.bin", changed(0, 10), "10");
    damaged("cifar10", "test_batch.bin", |_| Some(Vec::new()), "found");
    damaged("idx", "train-labels-idx1-ubyte", |_| None, "no such file");
    damaged("idx", "train-images-idx3-ubyte", shorter, "found");
    damaged("idx", "t10k-labels-idx1-ubyte", shorter, "found");
    damaged("idx", "train-images-idx3-ubyte", changed(2, 9), "found");
    damaged("idx", "t10k-images-idx3-ubyte", changed(3, 1), "found");
    damaged("idx", "train-images-idx3-ubyte", changed(4, 0xff), "found");
}

/// `PRESAM_CIFAR10`, or `shared/data/cifar10` beside the repository.
#[test]
fn real_pictures_train_where_they_are() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cifar10");
    let folder = std::env::var_os("PRESAM_CIFAR10").map_or(beside, Into::into);
    if !folder.join("test_batch.bin").exists() {
        skipped(&format!("no CIFAR-10 files at {} (set PRESAM_CIFAR10)", folder.display()));
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let data = format!("cifar10:{}", folder.display());
    let rest =
        ["--train-samples", "200", "--data", &data, "--out", out.to_str().unwrap(), "--json"];
    let output = presam(&[&SHORT[..], &rest].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results["data"]["train_samples"], 200);
    assert!(results["data"]["test_samples"].as_u64().unwrap() >= 1000);
}
